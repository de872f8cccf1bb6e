"""Runs one test file of CPython in this process, and writes what became of each test. build/cpython-select starts it.

    run_tests.py PLAN      PLAN: JSON, see main

Removes poll, epoll and their kin from the select module, so that every wait of the standard library goes through select.select. With
"form" in the plan, select.select is Trivet's. Writes one JSON array per line: ["begin", id], [outcome, id, text], at last ["calls", n].
"""

import faulthandler
import fcntl
import fnmatch
import importlib.machinery
import importlib.util
import json
import os
import select
import sys
import unittest

# Tests close and count low descriptors.
LOWEST_FD = 100


class Outcomes(unittest.TestResult):
    """Writes the outcome of each test when it is known, so that a hang or a crash names its test."""

    def __init__(self, file):
        super().__init__()
        self.file = file

    def write(self, *values):
        self.file.write(json.dumps(values) + "\n")
        self.file.flush()

    def startTest(self, test):
        super().startTest(test)
        self.write("begin", test.id())

    def addSuccess(self, test):
        super().addSuccess(test)
        self.write("passed", test.id(), "")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.write("failed", test.id(), self.failures[-1][1])

    def addError(self, test, error):
        super().addError(test, error)
        self.write("failed", test.id(), self.errors[-1][1])

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            kind = self.failures if issubclass(error[0], test.failureException) else self.errors
            self.write("failed", test.id(), f"{subtest.id()}: {kind[-1][1]}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.write("skipped", test.id(), reason)

    def addExpectedFailure(self, test, error):
        super().addExpectedFailure(test, error)
        self.write("failed as expected", test.id(), "")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.write("passed unexpectedly", test.id(), "")


def load_extension(path):
    loader = importlib.machinery.ExtensionFileLoader("trivet_select", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("trivet_select", loader))
    loader.exec_module(module)
    return module


def flat(suite):
    """Returns the tests of nested suites, in order."""
    if isinstance(suite, unittest.TestSuite):
        for member in suite:
            yield from flat(member)
    else:
        yield suite


def load_tests(name, directory, only, left_out):
    if name == "odd_arguments":
        sys.path.append(directory)
    else:
        name = "test." + name
    try:
        suite = unittest.defaultTestLoader.loadTestsFromName(name)
    except unittest.SkipTest as skip:
        return None, str(skip)
    tests = [test for test in flat(suite) if only is None or test.id() in only]
    return unittest.TestSuite(test for test in tests if not any(fnmatch.fnmatchcase(test.id(), pattern) for pattern in left_out)), None


def main():
    """The plan has: test, outcomes (a path), only (test ids or null), left_out (patterns), resources, seconds_max; with Trivet also extension, libjvm, options, form, engine."""
    plan = json.loads(sys.argv[1])
    directory = sys.path.pop(0)
    with open(plan["outcomes"], "w", encoding="utf-8") as low:
        file = open(fcntl.fcntl(low.fileno(), fcntl.F_DUPFD_CLOEXEC, LOWEST_FD), "w", encoding="utf-8")
    outcomes = Outcomes(file)

    for name in ("poll", "epoll", "devpoll", "kqueue"):
        if hasattr(select, name):
            delattr(select, name)
    trivet = None
    if "form" in plan:
        trivet = load_extension(plan["extension"])
        trivet.start(plan["libjvm"], plan["options"], plan["form"], plan["engine"])
        select.select = trivet.select  # a builtin too, so that SelectSelector can have it as an attribute of the class

    from test import support

    support.use_resources = plan["resources"]
    faulthandler.dump_traceback_later(plan["seconds_max"], exit=True)
    suite, skipped = load_tests(plan["test"], directory, plan["only"], plan["left_out"])
    if suite is None:
        outcomes.write("skipped", plan["test"], skipped)
    else:
        suite.run(outcomes)
    outcomes.write("calls", 0 if trivet is None else trivet.calls())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # the JVM's threads still run


if __name__ == "__main__":
    main()
