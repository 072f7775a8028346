"""What-if: the frozen inputs of a run under other settings of its methodology, kept beside the run.

A scenario belongs to a run and holds a changed document of the run's methodology, the answer for every
school, and what the change does: who enters the list and who leaves it and by which setting, which
schools one pupil decides, the effect by municipality and by kind of school, the agreement with the run
and with last year's list. It reads nothing but what the run has frozen; settings that these inputs
cannot answer are refused. A scenario is a thought: it is never approved or published, only the region
sees it, and it is voided, not deleted.

Source: peers 2 ("what-if on thresholds before approval"), 3, 6, 17; design 6.
"""
