"""Tests of target-tableau."""

import pytest

pytest.register_assert_rewrite("tests.target_tableau.support")
