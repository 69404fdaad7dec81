"""A scan command for the tests: it finds the test file of EICAR, as every scanner does."""

import sys

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

if __name__ == "__main__":
    if EICAR in sys.stdin.buffer.read():
        sys.stdout.write("Eicar-Signature\n")
        sys.exit(1)
