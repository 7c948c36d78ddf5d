#!/usr/bin/env bash
# with_models.sh corrupt|hash MODEL: a copy of models/MODEL below ./models whose weights are changed
# ('hash': the card no longer fits; 'corrupt': the card fits a file that is no network).
set -euo pipefail
mkdir -p models
cp -r "$ROOT/models/$2" models/
if [ "$1" = hash ]; then
  printf x >>"models/$2/model.onnx"
else
  printf 'no network' >"models/$2/model.onnx"
  sum=$(sha256sum "models/$2/model.onnx" | cut -c1-64)
  sed -i -E "s/\"(weights_)?sha256\": \"[0-9a-f]{64}\"/\"\1sha256\": \"$sum\"/" "models/$2/card.json"
fi
