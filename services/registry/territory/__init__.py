"""Regions and municipalities: the tree in which every located row of Opora stands.

A region is made once, by the system's own machine client; municipalities by the people of their
region. Ids issued here are used by all services. Source: methodology A12, A14; codes АТЕ/МСУ of
РИС ГИА and ОКТМО from B6, B7.
"""
