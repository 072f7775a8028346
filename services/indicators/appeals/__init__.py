"""Appeals: a school or its municipality contests a cell that a published list rests on, not the class.

What can be contested: a result (school x procedure), an attribute of the profile, the mark of adverse
conditions in the card, a sign of biased results. The term runs from the publication of the run; a late
appeal is refused with the moment told, or taken by the region with a reason. Its life: filed ->
under_review -> accepted | rejected, or withdrawn by who filed it. The region decides, with a protocol;
neither who filed the appeal nor who prepared the contested list may decide it.

A sandbox shows what the corrected cell would change, out of the frozen inputs of the run. The published
list never changes by an appeal: an accepted correction waits for the next run, which is approved and
published in the usual way, and the appeal then names that run.

Files of evidence stay where they are: Opora keeps their name, size and SHA-256, not their contents.

Source: peers 7; methodology A14 (Identification: decision, who, appeal); design 4, 6.
"""
