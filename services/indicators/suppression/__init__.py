"""Suppression of small cells: numbers from which one could tell what a few pupils achieved.

A school, its municipality and the region (which loads the rows and signs the list) read exact numbers:
their scope is `indices:exact`. Curators, machine clients whose token does not name that scope, and files
that leave (the list as a workbook) get the numbers of a school and procedure only where they describe
nobody: no part of the group is smaller than the suppression size, and no published total gives a hidden
number by subtraction. A hidden number is null and named in `suppressed` of its object.

Source: design 4; threats 62; decision 0023.
"""
