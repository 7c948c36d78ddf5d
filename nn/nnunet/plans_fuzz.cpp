#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "nn/bundle.h"
#include "nn/nnunet/card.h"

// Two JSON texts, plans and dataset, parted by a zero byte; what can be read makes a card that can be read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t part = text.find('\0');
  if (part == std::string_view::npos) return 0;
  try {
    const penta::Json plans = penta::Json::parse(text.substr(0, part)), dataset = penta::Json::parse(text.substr(part + 1));
    for (const std::string& name : penta::nn::nnunet::configurations_of(plans)) {
      try {
        const penta::nn::nnunet::Plan plan = penta::nn::nnunet::plan_from(plans, dataset, name);
        penta::nn::nnunet::CardFacts facts;
        facts.id = penta::nn::nnunet::id_of(plan, "MR");
        facts.modality = "MR";
        facts.files = {"fold_0.xml"};
        facts.sha256 = {""};
        (void)penta::nn::bundle_from(penta::nn::nnunet::card_of(plan, facts).dump());
      } catch (const penta::Error&) {
      }
    }
  } catch (const penta::Error&) {
  }
  return 0;
}
