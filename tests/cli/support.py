"""What the script tests share: running the program, unittest with the program as argument."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
except ImportError:
    print("NumPy is missing: skipped")
    raise SystemExit(77)

KAPPA = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "kappa"


def run(*arguments, **settings):
    """The finished process; arguments may be numbers."""
    environment = dict(os.environ, **settings.pop("env", {}))
    return subprocess.run([KAPPA, *map(str, arguments)], capture_output=True, text=True,
                          env=environment, timeout=120, **settings)


class CliTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder_object = tempfile.TemporaryDirectory()
        self.folder = self.folder_object.name
        self.addCleanup(self.folder_object.cleanup)

    def path(self, name):
        return os.path.join(self.folder, name)

    def save(self, name, array):
        np.save(self.path(name), np.asarray(array))
        return self.path(name)

    def json(self, *arguments, code=0):
        result = run(*arguments, "--quiet", "--json", "-")
        self.assertEqual(result.returncode, code, result.stderr)
        return json.loads(result.stdout)

    def close(self, got, expected, tolerance=1e-12):
        got, expected = np.asarray(got, float), np.asarray(expected, float)
        self.assertEqual(got.shape, expected.shape)
        scale = max(np.abs(expected).max(initial=0), 1e-300)
        self.assertLessEqual(np.abs(got - expected).max(initial=0), tolerance * scale,
                             f"{got} is not {expected}")


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
