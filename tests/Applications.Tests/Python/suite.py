"""Runs modules of CPython's own test suite and prints a line for each test: its name and how it ended."""
import errno, faulthandler, os, sys, unittest
from test import support

LIMIT_SECONDS = 90  # for one test; a test that hangs ends the run with its name as the last line


class Result(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.outcome = "ok"
        faulthandler.dump_traceback_later(LIMIT_SECONDS, exit=True, file=sys.__stderr__)
        print("start", test.id(), file=sys.__stderr__, flush=True)

    def stopTest(self, test):
        super().stopTest(test)
        faulthandler.cancel_dump_traceback_later()
        print(test.id(), self.outcome, file=report, flush=True)

    def tell(self, test, outcome, error):
        if isinstance(error[1], OSError) and error[1].errno == errno.EAFNOSUPPORT:
            outcome = "needs-network"
        self.outcome = outcome
        text = self._exc_info_to_string(error, test) if isinstance(test, unittest.TestCase) else "%s: %s" % (error[0].__name__, error[1])
        print("%s %s\n%s" % (outcome, test.id(), text), file=sys.__stderr__, flush=True)
        if not isinstance(test, unittest.TestCase):
            print(test.id(), outcome, file=report, flush=True)

    def addError(self, test, error): self.tell(test, "ERROR", error)
    def addFailure(self, test, error): self.tell(test, "FAIL", error)
    def addSkip(self, test, reason): self.outcome = "skipped"
    def addExpectedFailure(self, test, error): self.outcome = "expected"
    def addUnexpectedSuccess(self, test): self.outcome = "unexpected"
    def addSubTest(self, test, subtest, error):
        if error is not None: self.tell(test, "FAIL", error)


report = os.fdopen(os.dup(1), "w")
os.chdir(os.environ.get("TMPDIR", "/tmp"))
support.use_resources = []
support.verbose = 0
names = []
for module in sys.argv[1:]:
    names.append(module if module.startswith("test.") else "test." + module)
try:
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
except unittest.SkipTest as reason:
    print("skipped", reason)
    sys.exit(0)
sys.stdout = sys.__stderr__
suite.run(Result())
sys.stdout.flush()
report.flush()
os._exit(0)
