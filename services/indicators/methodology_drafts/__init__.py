"""Drafts of methodologies: where a region writes its own rules without a release of Opora.

A draft begins from a shipped document, from a version or from an empty page; it is changed whole or by a
merge patch, linted at every look, and adopted as the next version. What was adopted does not change
any more: runs point at the version, the draft says how it came about.

Source: decision 0025 ("A region edits its own through the API without a release").
"""
