"""The decision sheet of a school: its trace as a page and as a document, for people without a computer.

Both are made of one neutral content (`contents`), which is made of the trace alone (`TraceOut`), so that
the page, the document and the JSON cannot tell different stories, and what the trace hides from a caller
is hidden here as well. Nothing else goes in: no clock, no name of a user or a machine; the same trace is
the same bytes. The words tell signs and conditions, never a verdict on a school.

Source: decision 0029; design 6 (trace, approval by an order), 9 (signs, not verdicts).
"""
