#pragma once

#include "core/card.h"

namespace penta {

/// Writes into `whole` the inputs, outputs and parameters that were added to a card after it was read.
void complete_json(Card& card);

}  // namespace penta
