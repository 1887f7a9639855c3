"""What the process tests stand on: a broker, a way to write and watch topics, the program under test, an
independent verdict.
"""
