"""What tests of several folders share: callers, served applications, builders."""
