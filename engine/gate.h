#pragma once

#include <string>

#include "core/card.h"
#include "io/content.h"

namespace penta::engine {

/// A method of all five modalities may look at an image that does not say its own.
[[nodiscard]] bool takes_every_modality(const Card& card) noexcept;
/// Why a method may not run on this image in a report; empty when the gate is open. Judges what the header and the
/// grid say; `recognised` and `roles_present` are the planner's.
[[nodiscard]] std::string why_shut(const Card& card, const io::Content& content);

/// The same, of a method that was called by name: in what the image is not what the gate asks for. A modality that is not
/// known is the caller's word.
[[nodiscard]] std::string why_unfit(const Card& card, const io::Content& content);

/// Throws Error{bad_input} where voxels are so far (three times) beyond what the method takes that no answer would mean
/// anything, also when it is called by name.
void check_meaningful(const Card& card, const io::Content& content);

/// True when a value of this modality can go into the role: the role's list, or else the card's.
[[nodiscard]] bool takes_modality(const Card& card, const InputRole& role, const std::string& modality) noexcept;

}  // namespace penta::engine
