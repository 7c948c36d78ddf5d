"""Planted faults: tools/check_cards.py must name each."""
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def method(name="ct.body", task="segmentation", **changes):
    card = {"id": name, "task": task, "title": "t", "modalities": ["CT"], "inputs": [{"role": "ct"}],
            "outputs": [{"role": "labels", "kind": "labelmap"}], "parameters": [], "algorithm": "a", "reference": "r",
            "determinism": "d", "evidence_note": "Real images.", "intended_use": "i", "not_for": ["x"], "known_failures": ["y"],
            "results": []}
    return {f"tasks/{task}/{name.replace('.', '_', 1)}.card.json": {**card, **changes}}


def model(**changes):
    card = {"id": "ct.net", "task": "segmentation", "title": "t", "architecture": "a", "network": {"file": "model.onnx"},
            "training_data": [{"name": "n", "licence": "CC0"}], "weights_licence": "Apache-2.0",
            "weights_sha256": hashlib.sha256(b"weights").hexdigest(), "evidence_note": "Real images, one source.",
            "intended_use": "i", "not_for": ["x"], "known_failures": ["y"], "results": []}
    return {"models/ct.net/card.json": {**card, **changes}, "models/ct.net/model.onnx": b"weights"}


def coded(value, priority, in_report=True):
    return {"outputs": [{"role": "labels", "kind": "labelmap", "code": {"scheme": "SCT", "value": value, "meaning": "m"}}],
            "priority": priority, "gate": {"in_report": in_report}}


def needs(*wanted):
    return {"inputs": [{"role": "labels", "kind": "labels", "from": list(wanted)}]}


def check(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        done = subprocess.run([sys.executable, ROOT / "tools" / "check_cards.py", folder], capture_output=True, text=True)
        return done.stdout + done.stderr, done.returncode


class CheckCards(unittest.TestCase):
    def test_right_cards_pass(self):
        chain = method("ct.tissue", "analysis", **needs("segmentation/ct.body"))
        output, code = check({**method(), **chain, **model()})
        self.assertEqual(code, 0, output)

    def test_a_bundle_supplies_a_chain(self):
        output, code = check({**method("ct.volume", "analysis", **needs("segmentation/ct.net")), **model()})
        self.assertEqual(code, 0, output)

    def test_different_priorities_pass(self):
        output, code = check({**method(**coded("1", 1)), **method("ct.body2", **coded("1", 2))})
        self.assertEqual(code, 0, output)

    def test_planted_faults_are_named(self):
        result = {"requirement": "r", "data": "d", "n": 1, "metric": "m", "value": 1, "class": "Q", "command": "c"}
        planted = {
            "'algorithm' is missing": method(algorithm=""),
            "none of the ten": method(task="cooking"),
            "not named after": {"tasks/segmentation/other.card.json": next(iter(method().values()))},
            "modality 'XR'": method(modalities=["XR"]),
            "2 times": method(inputs=[{"role": "ct"}, {"role": "ct"}]),
            "out of its range": method(parameters=[{"name": "p", "type": "number", "default": 3, "maximum": 2}]),
            "lacks 'n'": method(results=[{**result, "n": None}]),
            "unknown class 'X'": method(results=[{**result, "class": "X"}]),
            "no method supplies": method(**needs("segmentation/ct.nothing")),
            "goes in a circle": {**method(**needs("ct.lungs")), **method("ct.lungs", **needs("ct.body"))},
            "with priority 1": {**method(**coded("1", 1)), **method("ct.body2", **coded("1", 1))},
            "'weights_licence' is missing": model(weights_licence=""),
            "is not the one on the card": model(weights_sha256="0" * 64),
            "has no licence": model(training_data=[{"name": "n"}]),
            "must say whether the evidence": model(evidence_note="Very good."),
            "no JSON": {"tasks/segmentation/ct_body.card.json": b"{"},
        }
        for fault, files in planted.items():
            with self.subTest(fault):
                output, code = check(files)
                self.assertEqual(code, 1, output)
                self.assertIn(fault, output)


if __name__ == "__main__":
    unittest.main()
