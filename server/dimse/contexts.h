#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/assoc.h>

#include <span>
#include <string>
#include <string_view>

namespace penta::server::dimse {

namespace uid {
inline constexpr std::string_view verification = "1.2.840.10008.1.1";
inline constexpr std::string_view patient_find = "1.2.840.10008.5.1.4.1.2.1.1", patient_move = "1.2.840.10008.5.1.4.1.2.1.2",
                                  patient_get = "1.2.840.10008.5.1.4.1.2.1.3";
inline constexpr std::string_view study_find = "1.2.840.10008.5.1.4.1.2.2.1", study_move = "1.2.840.10008.5.1.4.1.2.2.2",
                                  study_get = "1.2.840.10008.5.1.4.1.2.2.3";
inline constexpr std::string_view implicit_little = "1.2.840.10008.1.2", explicit_little = "1.2.840.10008.1.2.1";
}  // namespace uid

/// True for SOP classes of the Storage Service Class (PS3.4 B.5), those newer than DCMTK too.
[[nodiscard]] bool is_storage(std::string_view sop_class) noexcept;
/// Which of the transfer syntaxes offered for a class is taken; empty: none.
[[nodiscard]] std::string chosen_syntax(std::string_view sop_class, std::span<const std::string> offered, bool we_send);
/// Accepts or refuses each context that the peer asked for.
void accept_contexts(T_ASC_Parameters& parameters);

}  // namespace penta::server::dimse
