"""The optional risk model: what is known of a student on a day, models of it, and what they must prove first.

Pure: numbers in, numbers out. Training alone needs scikit-learn (`estimator`); scoring needs numpy.
"""
