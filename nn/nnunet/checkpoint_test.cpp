#include "nn/nnunet/checkpoint.h"

#include <gtest/gtest.h>
#include <libdeflate.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "nn/nnunet/pickle.h"

namespace penta::nn::nnunet {
namespace {

std::span<const std::byte> view_of(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }

std::string little(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 255U);
  return out;
}

/// A zip made by hand: stored, or as `method` and sizes say.
struct Member {
  std::string name, packed;
  std::uint64_t size = 0;
  int method = 0;
  std::uint32_t crc = 0;
};

Member stored(const std::string& name, const std::string& data) {
  return {name, data, data.size(), 0, libdeflate_crc32(0, data.data(), data.size())};
}

std::string zipped(const std::vector<Member>& members, bool wide = false) {
  std::string out, directory;
  for (const Member& m : members) {
    const std::uint64_t at = out.size();
    out += little(0x04034B50, 4) + std::string(22, '\0') + little(m.name.size(), 2) + little(0, 2) + m.name + m.packed;
    const std::string extra = wide ? little(1, 2) + little(24, 2) + little(m.size, 8) + little(m.packed.size(), 8) + little(at, 8) : "";
    directory += little(0x02014B50, 4) + std::string(6, '\0') + little(static_cast<std::uint64_t>(m.method), 2) + std::string(4, '\0') +
                 little(m.crc, 4) + (wide ? little(0xFFFFFFFF, 4) + little(0xFFFFFFFF, 4) : little(m.packed.size(), 4) + little(m.size, 4)) +
                 little(m.name.size(), 2) + little(extra.size(), 2) + std::string(10, '\0') + (wide ? little(0xFFFFFFFF, 4) : little(at, 4)) +
                 m.name + extra;
  }
  const std::uint64_t first = out.size();
  out += directory;
  if (wide) {
    const std::uint64_t record = out.size();
    out += little(0x06064B50, 4) + little(44, 8) + std::string(12, '\0') + little(members.size(), 8) + little(members.size(), 8) +
           little(directory.size(), 8) + little(first, 8);
    out += little(0x07064B50, 4) + little(0, 4) + little(record, 8) + little(1, 4);
  }
  return out + little(0x06054B50, 4) + std::string(4, '\0') + little(members.size(), 2) + little(members.size(), 2) +
         little(directory.size(), 4) + little(wide ? 0xFFFFFFFF : first, 4) + little(0, 2);
}

template <class Run>
std::string fault_of(Run run) {
  try {
    run();
  } catch (const Error& fault) {
    EXPECT_EQ(fault.code(), Code::bad_input);
    return fault.what();
  }
  return "";
}

std::string unpacked(const std::string& zip, const std::string& name) {
  const ZipArchive archive(view_of(zip), "z");
  std::vector<std::byte> room;
  const auto bytes = archive.unpack(*archive.find(name), room);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool says(const std::string& fault, const std::string& words) { return fault.find(words) != std::string::npos; }

TEST(Zip, InverseStoredDeflatedAndWide) {
  const std::string text(3000, 'x');
  std::string packed(100, '\0');
  libdeflate_compressor* packer = libdeflate_alloc_compressor(6);
  packed.resize(libdeflate_deflate_compress(packer, text.data(), text.size(), packed.data(), packed.size()));
  libdeflate_free_compressor(packer);
  const Member deflated{"b", packed, text.size(), 8, libdeflate_crc32(0, text.data(), text.size())};
  for (const bool wide : {false, true}) {
    const std::string zip = zipped({stored("a", "hello"), deflated}, wide);
    EXPECT_EQ(unpacked(zip, "a"), "hello");
    EXPECT_EQ(unpacked(zip, "b"), text);
  }
  Member longer = deflated, shorter = deflated;
  longer.size += 1;
  shorter.size -= 1;
  for (const Member& wrong : {longer, shorter})
    EXPECT_TRUE(says(fault_of([&] { (void)unpacked(zipped({wrong}), "b"); }), "size is not the declared one, 'b'"));
}

TEST(Zip, RefusesAndNames) {
  const std::string right = zipped({stored("first", "hello"), stored("second", "world")});
  const auto fault = [&](const std::string& zip) { return fault_of([&] { (void)unpacked(zip, "first"); }); };
  EXPECT_EQ(fault(right), "");
  // Every way of cutting it is refused.
  for (std::size_t n = 0; n < right.size(); ++n) EXPECT_NE(fault(right.substr(0, n)), "") << n;
  std::string overlapping = right;
  const std::size_t second = right.rfind("second");
  std::memcpy(overlapping.data() + second - 4, little(3, 4).data(), 4);
  EXPECT_NE(fault(overlapping), "");
  Member declared = stored("first", "hello"), method = declared, crc = declared;
  declared.size = 6;
  method.method = 14;
  crc.crc ^= 1U;
  EXPECT_TRUE(says(fault(zipped({declared})), "stored entry of 5 bytes that says 6, 'first'"));
  EXPECT_TRUE(says(fault(zipped({method})), "method 14, 'first'"));
  EXPECT_TRUE(says(fault(zipped({crc})), "CRC-32 is not the declared one, 'first'"));
  Member bomb = stored("first", "hello");
  bomb.method = 8;
  bomb.size = std::uint64_t{1} << 31U;
  EXPECT_TRUE(says(fault(zipped({bomb})), "more bytes than it can hold, 'first'"));
  EXPECT_TRUE(says(fault("PK"), "too short"));
}

TEST(Zip, RefusesOverlap) {
  // The directory names the same bytes twice, under two names.
  const std::string one = zipped({stored("ab", "hello")});
  std::string zip = zipped({stored("ab", "hello"), stored("cd", "")});
  const std::size_t entry = zip.rfind("cd") - 4;
  std::memcpy(zip.data() + entry, little(0, 4).data(), 4);
  EXPECT_TRUE(says(fault_of([&] { (void)unpacked(zip, "ab"); }), "overlap"));
  EXPECT_EQ(unpacked(one, "ab"), "hello");
}

/// A short text of a pickle: 'X' and its length.
std::string word(const std::string& text) { return "X" + little(text.size(), 4) + text; }

TEST(Pickle, PublishedOpcodes) {
  // pickle.dumps({"a": [1, -2, 3000, 2.5, True, None, ("x", b"y")]}, 4) without its frame.
  const std::string bytes = std::string("\x80\x04}") + "\x94" + word("a") + "](K\x01J" + little(0xFFFFFFFE, 4) + "M" + little(3000, 2) + "G" +
                            std::string("\x40\x04\0\0\0\0\0\0", 8) + "\x88N" + word("x") + std::string("C\x01y\x86" "e" "s.");
  const Pickle pickle(view_of(bytes), "p");
  const PickleNode* list = pickle.find(pickle.root(), "a");
  ASSERT_NE(list, nullptr);
  ASSERT_EQ(list->items.size(), 7U);
  EXPECT_EQ(pickle.node(list->items[0]).integer, 1);
  EXPECT_EQ(pickle.node(list->items[1]).integer, -2);
  EXPECT_EQ(pickle.node(list->items[2]).integer, 3000);
  EXPECT_EQ(pickle.node(list->items[3]).real, 2.5);
  EXPECT_EQ(pickle.node(list->items[4]).kind, PickleNode::Kind::boolean);
  EXPECT_EQ(pickle.node(list->items[5]).kind, PickleNode::Kind::none);
  EXPECT_EQ(pickle.node(pickle.node(list->items[6]).items[1]).text, "y");
}

TEST(Pickle, LongIntegersHaveTheirSign) {
  const auto value = [](const std::string& digits) {
    const std::string bytes = std::string("\x80\x02\x8a") + static_cast<char>(digits.size()) + digits + ".";
    return Pickle(view_of(bytes), "p").root().integer;
  };
  EXPECT_EQ(value(""), 0);
  EXPECT_EQ(value("\x7f"), 127);
  EXPECT_EQ(value("\xff"), -1);
  EXPECT_EQ(value(std::string("\0\xff", 2)), -256);
}

TEST(Pickle, RefusesWithOpcodeAndPlace) {
  const auto fault = [](const std::string& bytes) { return fault_of([&] { (void)Pickle(view_of(bytes), "p"); }); };
  EXPECT_TRUE(says(fault("\x80\x02I5\n."), "opcode 0x49 at byte 2 is not known here"));
  EXPECT_TRUE(says(fault(std::string("\x80\x02\x82\x01.")), "opcode 0x82 at byte 2"));  // EXT1
  EXPECT_TRUE(says(fault("\x80\x07."), "says protocol 7"));
  EXPECT_TRUE(says(fault("\x80\x02."), "wants a value"));
  EXPECT_TRUE(says(fault("\x80\x02h\x05."), "was not kept, number 5"));
  EXPECT_TRUE(says(fault("\x80\x02X\xff\xff\xff\x7f" "a."), "is cut"));
  EXPECT_TRUE(says(fault("\x80\x02(K\x01" "d."), "key without a value"));
  EXPECT_TRUE(says(fault("\x80\x02K\x01K\x02" "a."), "no list"));
  std::string deep = "\x80\x02";
  deep += std::string(5 << 20, ']');
  EXPECT_TRUE(says(fault(deep), "too"));
}

/// The integer 0.
std::string zero() { return std::string("K\0", 2); }

/// A checkpoint with one weight "w" of what `tensor` pushes, and the storage "0" of six float32.
std::string checkpoint(const std::string& tensor) {
  const std::string pickle = std::string("\x80\x02}(") + word("network_weights") + "ccollections\nOrderedDict\n)R(" + word("w") + tensor +
                             "u" + word("trainer_name") + word("nnUNetTrainer") + word("init_args") + "}" + word("configuration") +
                             word("2d") + "s" + word("inference_allowed_mirroring_axes") + "K\x01" + zero() + "\x86" "u.";
  std::string values;
  for (int i = 0; i < 6; ++i) {
    const float v = static_cast<float>(i) + 0.5F;
    values.append(reinterpret_cast<const char*>(&v), 4);
  }
  return zipped({stored("c/data.pkl", pickle), stored("c/byteorder", "little"), stored("c/data/0", values)});
}

std::string storage(const std::string& type = "FloatStorage") {
  return "(" + word("storage") + "ctorch\n" + type + "\n" + word("0") + word("cpu") + "K\x06tQ";
}
std::string tensor(const std::string& store, const std::string& offset, const std::string& shape, const std::string& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + store + offset + "(" + shape + "t(" + strides + "t\x89" "NtR";
}
TEST(Checkpoint, TensorsAreTakenWithTheirStrides) {
  const std::string bytes = checkpoint(tensor(storage(), zero(), "K\x02K\x03", "K\x01K\x02"));
  const Checkpoint read(view_of(bytes), "c");
  EXPECT_EQ(read.trainer(), "nnUNetTrainer");
  EXPECT_EQ(read.configuration(), "2d");
  EXPECT_EQ(read.mirror_axes(), (std::vector<int>{1, 0}));
  EXPECT_EQ(read.values("w", {2, 3}), (std::vector<float>{0.5, 2.5, 4.5, 1.5, 3.5, 5.5}));
  EXPECT_TRUE(says(fault_of([&] { (void)read.values("w", {3, 2}); }), "'w' is 2 x 3, and the plans say 3 x 2"));
  EXPECT_TRUE(says(fault_of([&] { (void)read.values("v", {3, 2}); }), "'v' is not there"));
}

TEST(Checkpoint, ParametersAreTensors) {
  const std::string bytes = checkpoint("ctorch._utils\n_rebuild_parameter\n(" + tensor(storage(), "K\x04", "K\x02", "K\x01") + "\x88NtR");
  EXPECT_EQ(Checkpoint(view_of(bytes), "c").values("w", {2}), (std::vector<float>{4.5, 5.5}));
}

TEST(Checkpoint, RefusesWhatReachesOutside) {
  const auto fault = [](const std::string& bytes, const std::vector<std::int64_t>& shape) {
    return fault_of([&] { (void)Checkpoint(view_of(bytes), "c").values("w", shape); });
  };
  EXPECT_TRUE(says(fault(checkpoint(tensor(storage(), "K\x05", "K\x02", "K\x01")), {2}), "outside its storage '0' of 24 bytes"));
  EXPECT_TRUE(says(fault(checkpoint(tensor(storage(), "J\xff\xff\xff\xff", "K\x02", "K\x01")), {2}), "outside its storage"));
  EXPECT_TRUE(says(fault(checkpoint(tensor(storage(), zero(), "K\x02", "M\xff\xff")), {2}), "outside its storage"));
  EXPECT_TRUE(says(fault(checkpoint(tensor(storage("DoubleStorage"), zero(), "K\x06", "K\x01")), {6}), "outside its storage"));
  EXPECT_TRUE(says(fault(checkpoint(tensor(storage("QInt8Storage"), zero(), "K\x06", "K\x01")), {6}), "torch.QInt8Storage"));
}

/// The class by which a pickle usually runs something.
std::string run_command(const std::string& command) { return "cposix\nsystem\n(" + word(command) + "tR"; }

TEST(Checkpoint, PickleThatTriesToRunSomethingRunsNothing) {
  namespace fs = std::filesystem;
  const fs::path mark = fs::temp_directory_path() / ("penta_pickle_ran_" + std::to_string(::getpid()));
  const std::string command = run_command("touch " + mark.string());
  // As a weight: refused, and named.
  const std::string as_weight = checkpoint(command);
  EXPECT_TRUE(says(fault_of([&] { (void)Checkpoint(view_of(as_weight), "c").values("w", {1}); }), "depends on 'posix.system'"));
  const std::string as_storage = checkpoint(tensor(command, zero(), "K\x01", "K\x01"));
  EXPECT_TRUE(says(fault_of([&] { (void)Checkpoint(view_of(as_storage), "c").values("w", {1}); }), "depends on 'posix.system'"));
  // Beside the weights: an inert value that nobody looks at.
  const std::string beside = std::string("\x80\x02}(") + word("logging") + command + word("network_weights") + "}" + word("w") +
                             tensor(storage(), zero(), "K\x01", "K\x01") + "su.";
  std::string values(24, '\0');
  const std::string zip = zipped({stored("c/data.pkl", beside), stored("c/data/0", values)});
  EXPECT_EQ(Checkpoint(view_of(zip), "c").values("w", {1}), std::vector<float>{0});
  EXPECT_FALSE(fs::exists(mark));
}

TEST(Checkpoint, RefusesOtherFiles) {
  const auto fault = [](const std::string& bytes) { return fault_of([&] { (void)Checkpoint(view_of(bytes), "c"); }); };
  EXPECT_TRUE(says(fault(zipped({stored("a", "b")})), "no data.pkl"));
  EXPECT_TRUE(says(fault(zipped({stored("c/data.pkl", "\x80\x02}.")})), "no 'network_weights'"));
  EXPECT_TRUE(says(fault(std::string(100, 'x')), "no end record"));
}

}  // namespace
}  // namespace penta::nn::nnunet
