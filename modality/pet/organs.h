#pragma once

#include "modality/pet/uptake.h"

namespace penta::pet {

/// Fills `organ` of the parts (used by uptake_of; the rules stand there).
void name_organs(const Volume<float>& suv, double threshold_suv, Uptake& uptake);

}  // namespace penta::pet
