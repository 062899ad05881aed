#include "attune/tensor_file.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fstream>
#include <gtest/gtest.h>
#include <numeric>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace {

/// A directory that is removed, with its files, at the end.
class TensorFileTest : public testing::Test {
protected:
  TensorFileTest() {
    char Template[] = "/tmp/attune-test-XXXXXX";
    Directory = mkdtemp(Template);
  }
  ~TensorFileTest() override {
    for (const std::string &Name : files())
      unlink((Directory + "/" + Name).c_str());
    rmdir(Directory.c_str());
  }

  std::string path(const char *Name) const { return Directory + "/" + Name; }

  std::vector<std::string> files() const {
    std::vector<std::string> Names;
    DIR *Handle = opendir(Directory.c_str());
    while (dirent *Entry = readdir(Handle))
      if (Entry->d_name[0] != '.')
        Names.push_back(Entry->d_name);
    closedir(Handle);
    return Names;
  }

  std::string Directory;
};

attune_tensor dense(void *Data, attune_dtype Dtype, std::vector<int64_t> Sizes) {
  return attune_dense_tensor(Data, Dtype, static_cast<int32_t>(Sizes.size()), Sizes.data());
}

} // namespace

TEST_F(TensorFileTest, RoundTripOfEveryDtype) {
  std::vector<unsigned char> Bytes(64);
  std::iota(Bytes.begin(), Bytes.end(), static_cast<unsigned char>(1));
  unsigned char Flags[6] = {0, 1, 1, 0, 1, 0};
  std::vector<std::string> Names;
  std::vector<attune_tensor> Tensors;
  for (int D = ATTUNE_FLOAT32; D <= ATTUNE_INT64; ++D) {
    auto Dtype = static_cast<attune_dtype>(D);
    Names.push_back(std::string("layer.0/") + attune_dtype_name(Dtype));
    Tensors.push_back(dense(Dtype == ATTUNE_BOOL ? Flags : Bytes.data(), Dtype, {2, 3}));
  }
  Names.push_back("scalar");
  Tensors.push_back(dense(Bytes.data(), ATTUNE_FLOAT64, {}));
  Names.push_back("empty");
  Tensors.push_back(dense(nullptr, ATTUNE_FLOAT32, {4, 0, 2}));
  Names.push_back("odd \"name\"\\ \x01 \xc3\xa9 \n");
  Tensors.push_back(dense(Bytes.data(), ATTUNE_UINT8, {1, 1, 1, 1, 1, 7}));
  Names.push_back("");
  Tensors.push_back(dense(Bytes.data(), ATTUNE_INT16, {3}));

  std::vector<const char *> Pointers;
  for (const std::string &Name : Names)
    Pointers.push_back(Name.c_str());
  std::string Path = path("all.safetensors");
  ASSERT_EQ(attune_tensor_file_write(Path.c_str(), Names.size(), Pointers.data(), Tensors.data()),
            ATTUNE_OK)
      << attune_last_error();
  EXPECT_EQ(files(), std::vector<std::string>{"all.safetensors"}) << "a temporary file remains";

  attune_tensor_file *File = nullptr;
  ASSERT_EQ(attune_tensor_file_open(Path.c_str(), &File), ATTUNE_OK) << attune_last_error();
  ASSERT_EQ(attune_tensor_file_count(File), Names.size());
  for (size_t I = 0; I < Names.size(); ++I) {
    EXPECT_EQ(attune_tensor_file_name(File, I), Names[I]);
    attune_tensor Read;
    ASSERT_EQ(attune_tensor_file_get(File, Names[I].c_str(), &Read), ATTUNE_OK);
    ASSERT_EQ(Read.rank, Tensors[I].rank);
    EXPECT_EQ(Read.dtype, Tensors[I].dtype);
    size_t Count = 1;
    for (int32_t K = 0; K < Read.rank; ++K) {
      EXPECT_EQ(Read.sizes[K], Tensors[I].sizes[K]);
      EXPECT_EQ(Read.strides[K], Tensors[I].strides[K]);
      Count *= static_cast<size_t>(Read.sizes[K]);
    }
    EXPECT_EQ(reinterpret_cast<uintptr_t>(Read.data) % ATTUNE_ALIGNMENT, 0u);
    if (Count > 0) {
      EXPECT_EQ(std::memcmp(Read.data, Tensors[I].data, Count * attune_dtype_size(Read.dtype)), 0);
    }
  }
  EXPECT_EQ(attune_tensor_file_name(File, Names.size()), nullptr);
  attune_tensor_file_close(File);
}

TEST_F(TensorFileTest, HeaderIsPaddedAndPermissionsAreUsual) {
  float Data[3] = {1, 2, 3};
  for (const char *Name : {"a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"}) {
    attune_tensor Tensor = dense(Data, ATTUNE_FLOAT32, {3});
    std::string Path = path("padded");
    ASSERT_EQ(attune_tensor_file_write(Path.c_str(), 1, &Name, &Tensor), ATTUNE_OK);
    std::ifstream Stream(Path, std::ios::binary);
    unsigned char Length[8];
    Stream.read(reinterpret_cast<char *>(Length), 8);
    EXPECT_EQ(Length[0] % 8, 0);
    struct stat Info;
    ASSERT_EQ(stat(Path.c_str(), &Info), 0);
    EXPECT_TRUE(Info.st_mode & S_IRUSR);
    EXPECT_EQ(static_cast<size_t>(Info.st_size), 8 + Length[0] + 256 * Length[1] + sizeof(Data));
  }
}

TEST_F(TensorFileTest, WriterRefusesWhatItCannotWrite) {
  float Data[12] = {};
  unsigned char Flag = 2;
  const char *Names[] = {"weight", "weight"};
  std::string Path = path("refused");
  auto Write = [&](const char *Name, attune_tensor Tensor) {
    return attune_tensor_file_write(Path.c_str(), 1, &Name, &Tensor);
  };
  attune_tensor Good = dense(Data, ATTUNE_FLOAT32, {3, 4});
  attune_tensor Twice[] = {Good, Good};
  EXPECT_EQ(attune_tensor_file_write(Path.c_str(), 2, Names, Twice), ATTUNE_BAD_FILE);
  EXPECT_NE(std::string(attune_last_error()).find("'weight' is given twice"), std::string::npos);
  EXPECT_EQ(Write("__metadata__", Good), ATTUNE_BAD_FILE);
  EXPECT_EQ(Write("not \xff utf-8", Good), ATTUNE_BAD_FILE);
  EXPECT_EQ(Write("t", dense(nullptr, ATTUNE_FLOAT32, {3})), ATTUNE_NULL_POINTER);
  EXPECT_EQ(Write("t", dense(Data, ATTUNE_FLOAT32, {-3})), ATTUNE_WRONG_SIZE);
  EXPECT_EQ(Write("t", dense(Data, ATTUNE_FLOAT32, {int64_t{1} << 32, int64_t{1} << 32})),
            ATTUNE_WRONG_SIZE);
  EXPECT_EQ(Write("t", dense(&Flag, ATTUNE_BOOL, {1})), ATTUNE_BAD_FILE);
  attune_tensor Bad = Good;
  std::memset(&Bad.dtype, 77, sizeof(Bad.dtype));
  EXPECT_EQ(Write("t", Bad), ATTUNE_WRONG_DTYPE);
  Bad = Good;
  Bad.rank = 7;
  EXPECT_EQ(Write("t", Bad), ATTUNE_WRONG_RANK);
  Bad = Good;
  Bad.strides[0] = 5;
  EXPECT_EQ(Write("t", Bad), ATTUNE_WRONG_STRIDE);
  EXPECT_EQ(Write(nullptr, Good), ATTUNE_NULL_POINTER);
  EXPECT_EQ(attune_tensor_file_write(nullptr, 0, nullptr, nullptr), ATTUNE_NULL_POINTER);
  EXPECT_EQ(attune_tensor_file_write(Path.c_str(), 1, nullptr, &Good), ATTUNE_NULL_POINTER);
  EXPECT_TRUE(files().empty()) << "something was written all the same";
}

TEST_F(TensorFileTest, AFailedWriteLeavesTheOldFile) {
  float Data[2] = {1, 2};
  const char *Name = "t";
  attune_tensor Tensor = dense(Data, ATTUNE_FLOAT32, {2});
  EXPECT_EQ(attune_tensor_file_write((Directory + "/none/file").c_str(), 1, &Name, &Tensor),
            ATTUNE_IO_ERROR);
  // A directory cannot be replaced by a file: the rename fails after all has been written.
  EXPECT_EQ(attune_tensor_file_write(Directory.c_str(), 1, &Name, &Tensor), ATTUNE_IO_ERROR);
  EXPECT_NE(std::string(attune_last_error()).find(Directory), std::string::npos);
}

TEST_F(TensorFileTest, OpenRefusesWhatIsNoFile) {
  attune_tensor_file *File = reinterpret_cast<attune_tensor_file *>(1);
  EXPECT_EQ(attune_tensor_file_open(path("missing").c_str(), &File), ATTUNE_IO_ERROR);
  EXPECT_EQ(File, nullptr);
  EXPECT_NE(std::string(attune_last_error()).find("missing: cannot open"), std::string::npos);
  EXPECT_EQ(attune_tensor_file_open(Directory.c_str(), &File), ATTUNE_IO_ERROR);
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(attune_tensor_file_open(path("pipe").c_str(), &File), ATTUNE_IO_ERROR);
  EXPECT_EQ(attune_tensor_file_open(nullptr, &File), ATTUNE_NULL_POINTER);
  EXPECT_EQ(attune_tensor_file_open("x", nullptr), ATTUNE_NULL_POINTER);
  EXPECT_EQ(attune_tensor_file_parse(nullptr, 1, "x", &File), ATTUNE_NULL_POINTER);
  EXPECT_EQ(attune_tensor_file_parse("", 0, nullptr, &File), ATTUNE_NULL_POINTER);
}

TEST_F(TensorFileTest, AMissingTensorNamesTheNearest) {
  float Data[1] = {};
  const char *Names[] = {"q_proj.weight", "k_proj.weight", "out_proj.bias", "embedding"};
  std::vector<attune_tensor> Tensors(4, dense(Data, ATTUNE_FLOAT32, {1}));
  std::string Path = path("named");
  ASSERT_EQ(attune_tensor_file_write(Path.c_str(), 4, Names, Tensors.data()), ATTUNE_OK);
  attune_tensor_file *File = nullptr;
  ASSERT_EQ(attune_tensor_file_open(Path.c_str(), &File), ATTUNE_OK);
  attune_tensor Tensor;
  EXPECT_EQ(attune_tensor_file_get(File, "out_proj.bais", &Tensor), ATTUNE_NOT_FOUND);
  EXPECT_NE(std::string(attune_last_error())
                .find("'out_proj.bais' not found, the nearest are "
                      "'out_proj.bias'"),
            std::string::npos)
      << attune_last_error();
  EXPECT_EQ(attune_tensor_file_get(File, nullptr, &Tensor), ATTUNE_NULL_POINTER);
  EXPECT_EQ(attune_tensor_file_get(nullptr, "x", &Tensor), ATTUNE_NULL_POINTER);
  attune_tensor_file_close(File);
  attune_tensor_file_close(nullptr);
  EXPECT_EQ(attune_tensor_file_count(nullptr), 0u);
}
