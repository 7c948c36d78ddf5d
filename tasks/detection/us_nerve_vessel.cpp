#include "tasks/detection/frame_parts.h"
#include "tasks/methods.h"

namespace penta {

namespace {

/// Vessels as boxes, from the network of segmentation/us.nerve_vessel.
class UsNerveVessel final : public Method {
 public:
  explicit UsNerveVessel(const nn::ModelStore& models) : models_(models) {}
  const Card& card() const noexcept override { return card_; }
  Answer run(const Request& request) const override {
    return find_frame_parts(models_, {"us.nerve_vessel", 2, "vessel", {"SCT", "59820001", "Blood vessel"}}, request);
  }

 private:
  const nn::ModelStore& models_;
  Card card_ = built_in_card("detection/us.nerve_vessel");
};

}  // namespace

MethodPtr make_detection_us_nerve_vessel(const nn::ModelStore& models);
MethodPtr make_detection_us_nerve_vessel(const nn::ModelStore& models) { return std::make_unique<UsNerveVessel>(models); }

}  // namespace penta
