#include "server/dimse/contexts.h"

#include <algorithm>
#include <array>
#include <vector>

#include "server/dimse/elements.h"

namespace penta::server::dimse {

namespace {

constexpr std::string_view big_endian = "1.2.840.10008.1.2.2";

bool is_ours(std::string_view sop_class) {
  constexpr std::array those{uid::verification, uid::patient_find, uid::patient_move, uid::patient_get,
                             uid::study_find,   uid::study_move,   uid::study_get};
  return std::find(those.begin(), those.end(), sop_class) != those.end();
}

// Any transfer syntax that carries its own pixels. JPIP (1.2.4.94, .95, 204, 205) leaves them on another server.
bool carries_pixels(std::string_view syntax) {
  constexpr std::array<std::string_view, 4> elsewhere{"1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95",
                                                      "1.2.840.10008.1.2.4.204", "1.2.840.10008.1.2.4.205"};
  return (syntax == uid::implicit_little || syntax.starts_with("1.2.840.10008.1.2.")) &&
         std::find(elsewhere.begin(), elsewhere.end(), syntax) == elsewhere.end();
}

bool offers(std::span<const std::string> offered, std::string_view syntax) {
  return std::find(offered.begin(), offered.end(), syntax) != offered.end();
}

T_ASC_SC_ROLE role_for(const T_ASC_PresentationContext& asked) {
  if (!is_storage(asked.abstractSyntax)) return ASC_SC_ROLE_DEFAULT;
  return asked.proposedRole;
}

}  // namespace

bool is_storage(std::string_view sop_class) noexcept {
  constexpr std::array<std::string_view, 7> others{
      "1.2.840.10008.5.1.4.34.7",  "1.2.840.10008.5.1.4.34.10", "1.2.840.10008.5.1.4.38.1", "1.2.840.10008.5.1.4.39.1",
      "1.2.840.10008.5.1.4.43.1", "1.2.840.10008.5.1.4.44.1",  "1.2.840.10008.5.1.4.45.1"};
  return sop_class.starts_with("1.2.840.10008.5.1.4.1.1.") ||
         std::find(others.begin(), others.end(), sop_class) != others.end();
}

// The sender's own order says what it has, so the first that is known is taken; but explicit VR rather than implicit,
// which loses the types of private elements. What we send goes out as it is stored or in explicit little endian.
std::string chosen_syntax(std::string_view sop_class, std::span<const std::string> offered, bool we_send) {
  if (!is_storage(sop_class) || we_send) {
    if (offers(offered, uid::explicit_little)) return std::string(uid::explicit_little);
    if (offers(offered, uid::implicit_little)) return std::string(uid::implicit_little);
    if (!is_storage(sop_class)) return {};
  }
  for (const std::string& syntax : offered) {
    if (!carries_pixels(syntax)) continue;
    const bool plain = syntax == uid::implicit_little || syntax == big_endian;
    return plain && offers(offered, uid::explicit_little) ? std::string(uid::explicit_little) : syntax;
  }
  return {};
}

void accept_contexts(T_ASC_Parameters& parameters) {
  const int count = ASC_countPresentationContexts(&parameters);
  for (int i = 0; i < count; ++i) {
    T_ASC_PresentationContext asked{};
    if (ASC_getPresentationContext(&parameters, i, &asked).bad()) continue;
    const std::string_view sop_class = asked.abstractSyntax;
    if (!is_storage(sop_class) && !is_ours(sop_class)) {
      ASC_refusePresentationContext(&parameters, asked.presentationContextID, ASC_P_ABSTRACTSYNTAXNOTSUPPORTED);
      continue;
    }
    std::vector<std::string> offered;
    for (unsigned k = 0; k < asked.transferSyntaxCount; ++k) offered.emplace_back(asked.proposedTransferSyntaxes[k]);
    const std::string syntax = chosen_syntax(sop_class, offered, asked.proposedRole == ASC_SC_ROLE_SCP);
    if (syntax.empty())
      ASC_refusePresentationContext(&parameters, asked.presentationContextID, ASC_P_TRANSFERSYNTAXESNOTSUPPORTED);
    else
      ASC_acceptPresentationContext(&parameters, asked.presentationContextID, syntax.c_str(), role_for(asked));
  }
}

}  // namespace penta::server::dimse
