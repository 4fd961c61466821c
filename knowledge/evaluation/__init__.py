"""Measuring the knowledge room: data sets of questions, an index of their passages, and what is counted on them."""
