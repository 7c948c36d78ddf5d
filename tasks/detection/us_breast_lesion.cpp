#include "tasks/detection/frame_parts.h"
#include "tasks/methods.h"

namespace penta {

namespace {

/// Breast lesions as boxes, from the network of segmentation/us.breast_lesion.
class UsBreastLesion final : public Method {
 public:
  explicit UsBreastLesion(const nn::ModelStore& models) : models_(models) {}
  const Card& card() const noexcept override { return card_; }
  Answer run(const Request& request) const override {
    return find_frame_parts(models_, {"us.breast_lesion", 1, "breast lesion", {}}, request);
  }

 private:
  const nn::ModelStore& models_;
  Card card_ = built_in_card("detection/us.breast_lesion");
};

}  // namespace

MethodPtr make_detection_us_breast_lesion(const nn::ModelStore& models);
MethodPtr make_detection_us_breast_lesion(const nn::ModelStore& models) { return std::make_unique<UsBreastLesion>(models); }

}  // namespace penta
