"""The child process that reads an upload: the only place that ever sees a personal column.

It has no database access, limited memory and limited processor time. Bytes come in on stdin,
sanitised and typed Arrow batches go out on stdout (`frames`). A value leaves only in a shape its
column allows (`columns`), so even a shifted column cannot carry a name out.
"""
