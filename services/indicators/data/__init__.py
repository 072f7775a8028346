"""Published facts shipped with Opora as data: scales, layouts of files, methodologies."""
