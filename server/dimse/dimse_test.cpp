#include "server/dimse/dimse.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "core/error.h"
#include "io/dicom/web.h"
#include "io/formats.h"
#include "server/dimse/contexts.h"
#include "server/dimse/elements.h"
#include "server/dimse/sender.h"

namespace penta::server::dimse {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ct_class = "1.2.840.10008.5.1.4.1.1.2";

struct Folder {
  fs::path path = fs::temp_directory_path() / ("dimse-" + std::to_string(::getpid()) + "-" +
                                               ::testing::UnitTest::GetInstance()->current_test_info()->name());
  Folder() { fs::remove_all(path), fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

engine::InstanceIndex indexed(const fs::path& path) { return io::dicom::web_index(path); }

/// A server on a folder, and files to send to it.
struct DimseServed : ::testing::Test {
  Folder folder;
  engine::Archive archive{folder.path / "store", indexed};
  std::unique_ptr<DimseServer> server;

  DicomPeer start(DimseSettings settings = {}) {
    settings.port = 0;
    server = std::make_unique<DimseServer>(settings, archive);
    return {"test", "PENTA", "127.0.0.1", server->port()};
  }

  fs::path file(int number, const std::string& sop_class = std::string(ct_class),
                const std::string& syntax = std::string(uid::explicit_little), const std::string& other_sop = {}) const {
    const std::string sop = "1.2.3.4." + std::to_string(number);
    ElementWriter data(true);
    data.text(0x00080016, "UI", sop_class);
    data.text(0x00080018, "UI", other_sop.empty() ? sop : other_sop);
    data.text(0x00080060, "CS", "CT");
    data.text(0x00100010, "PN", "<script>alert(1)</script>");
    data.text(0x00100020, "LO", "P1");
    data.text(0x0020000D, "UI", "1.2.3");
    data.text(0x0020000E, "UI", "1.2.3.4");
    data.text(0x00200013, "IS", std::to_string(number));
    data.value(0x7FE00010, "OW", std::vector<std::byte>(100'001 & ~1));
    const auto head = meta_header(sop_class, sop, syntax);
    const fs::path path = folder.path / (std::to_string(number) + syntax.substr(syntax.size() - 2) + ".dcm");
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(head.data()), static_cast<std::streamsize>(head.size()));
    out.write(reinterpret_cast<const char*>(data.bytes().data()), static_cast<std::streamsize>(data.bytes().size()));
    return path;
  }

  std::size_t stored() { return archive.catalogue().files({}, {}, {}).size(); }
};

TEST_F(DimseServed, AnswersAnEcho) { EXPECT_NO_THROW(echo(start(), "TEST")); }

TEST_F(DimseServed, KeepsWhatItIsSentByteByByteAndTakesItTwice) {
  const DicomPeer peer = start();
  std::vector<fs::path> files;
  for (int i = 1; i <= 5; ++i) files.push_back(file(i));
  send_to(peer, "TEST", files);
  send_to(peer, "TEST", files);
  ASSERT_EQ(stored(), 5U);
  for (const engine::StoredInstance& one : archive.catalogue().files("1.2.3", {}, {})) {
    const auto kept = io::read_file(archive.path_of(one));
    const auto sent = io::read_file(file(std::stoi(one.index.sop_uid.substr(8))));
    EXPECT_TRUE(std::equal(kept.begin() + static_cast<long>(data_set_offset(kept)), kept.end(),
                           sent.begin() + static_cast<long>(data_set_offset(sent)), sent.end()));
  }
}

TEST_F(DimseServed, TakesSyntaxesAndClassesThatDcmtkDoesNotKnow) {
  const DicomPeer peer = start();
  const std::vector<fs::path> files{file(1, std::string(ct_class), "1.2.840.10008.1.2.4.201"), file(2, "1.2.840.10008.5.1.4.1.1.66.7")};
  EXPECT_NO_THROW(send_to(peer, "TEST", files));
  ASSERT_EQ(stored(), 2U);
  EXPECT_EQ(archive.catalogue().files({}, {}, "1.2.3.4.1").front().index.transfer_syntax, "1.2.840.10008.1.2.4.201");
}

TEST_F(DimseServed, RefusesADataSetOfAnotherUid) {
  const DicomPeer peer = start();
  const std::vector<fs::path> files{file(1, std::string(ct_class), std::string(uid::explicit_little), "9.9.9")};
  try {
    send_to(peer, "TEST", files);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("A900"), std::string::npos) << error.what();
  }
  EXPECT_EQ(stored(), 0U);
}

TEST_F(DimseServed, AHalfDataSetIsNotStoredAndCostsOneAssociation) {
  const DicomPeer peer = start();
  {
    const std::vector<Item> items{item_of(file(1))};
    Outgoing association(peer, "TEST", items);
    Command request;
    request.kind = Kind::store_rq;
    request.sop_class = ct_class;
    request.sop_instance = items[0].sop_instance;
    request.message_id = 1;
    request.has_data = true;
    association.channel().send(association.channel().contexts().front().id, request);  // and no data: then it aborts
  }
  EXPECT_NO_THROW(echo(peer, "TEST"));
  EXPECT_EQ(stored(), 0U);
}

int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return socket;
}

TEST_F(DimseServed, BytesThatAreNoPduEndTheConnection) {
  const DicomPeer peer = start();
  for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\1\0\xFF\xFF\xFF\xFF", 6), std::string("\4\0\0\0\0\x06\0\0\0\2\1\3", 12),
                                   std::string("\1\0\0\0\0\4\0\0\0\0", 10), std::string("\7\0\0\0\0\4\0\0\0\0", 10), std::string("\1", 1)}) {
    const int socket = connect_to(peer.port);
    ASSERT_EQ(::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    ::shutdown(socket, SHUT_WR);
    std::array<char, 64> answer{};
    while (::recv(socket, answer.data(), answer.size(), 0) > 0) {}
    ::close(socket);
  }
  EXPECT_NO_THROW(echo(peer, "TEST"));
}

TEST_F(DimseServed, OneThatSaysNothingHoldsNobodyUp) {
  DimseSettings settings;
  settings.negotiation_timeout = std::chrono::seconds(1);
  const DicomPeer peer = start(settings);
  const int silent = connect_to(peer.port);
  EXPECT_NO_THROW(echo(peer, "TEST"));
  char byte = 0;
  EXPECT_LE(::recv(silent, &byte, 1, 0), 0);  // cut after a second
  ::close(silent);
}

TEST_F(DimseServed, MoreAssociationsThanAllowedAreRejected) {
  DimseSettings settings;
  settings.associations_max = 2;
  const DicomPeer peer = start(settings);
  const std::vector<Item> items{item_of(file(1))};
  Outgoing first(peer, "TEST", items), second(peer, "TEST", items);
  EXPECT_THROW(Outgoing(peer, "TEST", items), Error);
  first.release();
}

TEST_F(DimseServed, StopsWithOpenAssociations) {
  const DicomPeer peer = start();
  const std::vector<Item> items{item_of(file(1))};
  Outgoing association(peer, "TEST", items);
  server.reset();
  Sender sender(association.channel(), {});
  EXPECT_THROW((void)sender.send(items[0]), Ended);
}

TEST_F(DimseServed, ListensOnThisMachineOnly) {
  DimseSettings settings;
  settings.address = "0.0.0.0";
  EXPECT_THROW(DimseServer(settings, archive), Error);
  const DicomPeer peer = start();
  settings.address = "127.0.0.1";
  settings.port = peer.port;
  EXPECT_THROW(DimseServer(settings, archive), Error);
}

TEST_F(DimseServed, FourSendersAtOnceLoseNothing) {
  const DicomPeer peer = start();
  std::vector<std::thread> senders;
  for (int s = 0; s < 4; ++s) {
    std::vector<fs::path> files;
    for (int i = 0; i < 10; ++i) files.push_back(file(100 * (s + 1) + i));
    senders.emplace_back([peer, files] { send_to(peer, "TEST", files); });
  }
  for (std::thread& one : senders) one.join();
  EXPECT_EQ(stored(), 40U);
}

/// The answers to a request whose identifier is `data`, with the statuses of the pending ones first.
std::vector<Message> ask(Channel& channel, Kind kind, std::string_view sop_class, std::span<const std::byte> data,
                         const std::string& destination = {}) {
  Command request;
  request.kind = kind;
  request.sop_class = sop_class;
  request.message_id = 5;
  request.move_destination = destination;
  channel.send(channel.contexts().front().id, request, data);
  std::vector<Message> answers;
  do {
    answers.push_back(channel.receive(std::chrono::seconds(20)));
    if (answers.back().command.has_data) channel.receive_data(answers.back().context, 1 << 20, [](std::span<const std::byte>) {});
  } while (answers.back().command.status >> 8U == 0xFF);
  return answers;
}

Outgoing asking(const DicomPeer& peer, std::string_view sop_class) {
  return Outgoing(peer, "TEST", std::vector<Item>{{{}, std::string(sop_class), {}, std::string(uid::explicit_little)}});
}

std::vector<std::byte> study_identifier(std::string_view level, std::string_view study) {
  ElementWriter out(true);
  out.text(0x00080052, "CS", level);
  out.text(0x0020000D, "UI", study);
  return out.bytes();
}

TEST_F(DimseServed, FindsAndMoves) {
  // The destination is a second server, on a folder of its own.
  engine::Archive other(folder.path / "other", indexed);
  DimseSettings far;
  far.port = 0;
  const DimseServer destination(far, other);
  DimseSettings settings;
  settings.peers.push_back({"far", "FAR", "127.0.0.1", destination.port()});
  const DicomPeer peer = start(settings);
  send_to(peer, "TEST", std::vector{file(1), file(2), file(3)});
  Outgoing find = asking(peer, uid::study_find);
  EXPECT_EQ(ask(find.channel(), Kind::find_rq, uid::study_find, study_identifier("IMAGE", "1.2.3")).size(), 4U);
  EXPECT_EQ(ask(find.channel(), Kind::find_rq, uid::study_find, study_identifier("PATIENT", "1.2.3")).back().command.status, status::does_not_match);
  EXPECT_EQ(ask(find.channel(), Kind::find_rq, uid::study_find, {}).back().command.status, status::does_not_match);
  Outgoing move = asking(peer, uid::study_move);
  const auto wanted = study_identifier("STUDY", "1.2.3");
  EXPECT_EQ(ask(move.channel(), Kind::move_rq, uid::study_move, wanted, "NOBODY").back().command.status, status::destination_unknown);
  EXPECT_EQ(ask(move.channel(), Kind::move_rq, uid::study_move, wanted, "FAR").back().command.status, status::success);
  EXPECT_EQ(other.catalogue().files("1.2.3", {}, {}).size(), 3U);
  EXPECT_EQ(ask(move.channel(), Kind::move_rq, uid::study_move, study_identifier("STUDY", ""), "FAR").back().command.status, status::does_not_match);
}

}  // namespace
}  // namespace penta::server::dimse
