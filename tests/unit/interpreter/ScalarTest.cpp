//===- ScalarTest.cpp - arith, affine, scf and memref ---------------------===//
#include "InterpreterTest.h"
#include <cmath>
#include <limits>

namespace attune::test {
namespace {
using mha::Array;

class Scalars : public ModuleTest {
protected:
  /// The value of an operation on index constants.
  double onIndices(const std::string &op, int64_t a, int64_t b) {
    Array out = Array::filled({1});
    runTiles("func.func @f(%out: memref<1xindex>, %a: index, %b: index) {\n"
             "  %z = arith.constant 0 : index\n  %r = " +
                 op + " %a, %b : index\n  memref.store %r, %out[%z] : memref<1xindex>\n  return }",
             {out, a, b});
    return (*out.storage)[0];
  }

  /// Whether a comparison of two numbers holds.
  bool compares(const std::string &predicate, double a, double b) {
    Array in = Array::of({2}, {a, b}), out = Array::filled({1});
    runTiles("func.func @f(%in: memref<2xf32>, %out: memref<1xi1>) {\n"
             "  %z = arith.constant 0 : index\n  %o = arith.constant 1 : index\n"
             "  %a = memref.load %in[%z] : memref<2xf32>\n"
             "  %b = memref.load %in[%o] : memref<2xf32>\n  %r = arith.cmpf " +
                 predicate +
                 ", %a, %b : f32\n  memref.store %r, %out[%z] : memref<1xi1>\n  return }",
             {in, out});
    return (*out.storage)[0] != 0;
  }

  /// The value of a function of one number.
  double onNumber(const std::string &op, double a, const mha::InterpreterOptions &options = {}) {
    Array in = Array::of({1}, {a}), out = Array::filled({1});
    runTiles("func.func @f(%in: memref<1xf32>, %out: memref<1xf32>) {\n"
             "  %z = arith.constant 0 : index\n  %a = memref.load %in[%z] : memref<1xf32>\n"
             "  %c = arith.constant 0.1 : f32\n  %r = " +
                 op + " : f32\n  memref.store %r, %out[%z] : memref<1xf32>\n  return }",
             {in, out}, options);
    return (*out.storage)[0];
  }
};

TEST_F(Scalars, IntegerArithmetic) {
  EXPECT_EQ(onIndices("arith.addi", 5, -7), -2);
  EXPECT_EQ(onIndices("arith.subi", 5, -7), 12);
  EXPECT_EQ(onIndices("arith.muli", 5, -7), -35);
  EXPECT_EQ(onIndices("arith.divsi", -7, 2), -3);
  EXPECT_EQ(onIndices("arith.remsi", -7, 2), -1);
  EXPECT_EQ(onIndices("arith.floordivsi", -7, 2), -4);
  EXPECT_EQ(onIndices("arith.floordivsi", 7, -2), -4);
  EXPECT_EQ(onIndices("arith.floordivsi", -7, -2), 3);
  EXPECT_EQ(onIndices("arith.ceildivsi", 7, 2), 4);
  EXPECT_EQ(onIndices("arith.ceildivsi", -7, 2), -3);
  EXPECT_EQ(onIndices("arith.divui", 7, 2), 3);
  EXPECT_EQ(onIndices("arith.remui", 7, 4), 3);
  EXPECT_EQ(onIndices("arith.minsi", -7, 2), -7);
  EXPECT_EQ(onIndices("arith.maxsi", -7, 2), 2);
  EXPECT_EQ(onIndices("arith.andi", 6, 3), 2);
  EXPECT_EQ(onIndices("arith.ori", 6, 3), 7);
  EXPECT_EQ(onIndices("arith.xori", 6, 3), 5);
}

TEST_F(Scalars, NarrowIntegersWrapAround) {
  Array in = Array::of({2}, {200, 100}), out = Array::filled({4});
  runTiles(R"(func.func @f(%in: memref<2xi8>, %out: memref<4xi32>) {
    %0 = arith.constant 0 : index
    %1 = arith.constant 1 : index
    %2 = arith.constant 2 : index
    %3 = arith.constant 3 : index
    %a = memref.load %in[%0] : memref<2xi8>
    %b = memref.load %in[%1] : memref<2xi8>
    %sum = arith.addi %a, %b : i8
    %wide = arith.extui %a : i8 to i32
    %signed = arith.extsi %a : i8 to i32
    %swide = arith.extsi %sum : i8 to i32
    %less = arith.cmpi ult, %b, %a : i8
    %bit = arith.extui %less : i1 to i32
    memref.store %wide, %out[%0] : memref<4xi32>
    memref.store %signed, %out[%1] : memref<4xi32>
    memref.store %swide, %out[%2] : memref<4xi32>
    memref.store %bit, %out[%3] : memref<4xi32>
    return
  })",
           {in, out});
  EXPECT_EQ(elements(out), (std::vector<double>{200, -56, 44, 1}));
}

TEST_F(Scalars, FloatComparisons) {
  const double nan = std::nan("");
  EXPECT_TRUE(compares("olt", 1, 2));
  EXPECT_FALSE(compares("olt", 1, nan));
  EXPECT_TRUE(compares("ult", 1, nan));
  EXPECT_TRUE(compares("une", nan, nan));
  EXPECT_FALSE(compares("one", nan, 1));
  EXPECT_TRUE(compares("oge", 2, 2));
  EXPECT_FALSE(compares("ord", 2, nan));
  EXPECT_TRUE(compares("uno", 2, nan));
}

TEST_F(Scalars, FloatFunctions) {
  EXPECT_EQ(onNumber("arith.addf %a, %c", 1), 1 + static_cast<double>(0.1f));
  EXPECT_EQ(onNumber("arith.negf %a", 3), -3);
  EXPECT_EQ(onNumber("arith.maximumf %a, %c", 3), 3);
  EXPECT_TRUE(std::isnan(onNumber("arith.maximumf %a, %c", std::nan(""))));
  EXPECT_FALSE(std::isnan(onNumber("arith.maxnumf %a, %c", std::nan(""))));
  EXPECT_EQ(onNumber("arith.minimumf %a, %c", -3), -3);
  EXPECT_EQ(onNumber("math.exp %a", 1.5), std::exp(1.5));
  EXPECT_EQ(onNumber("math.tanh %a", 1.5), std::tanh(1.5));
  EXPECT_EQ(onNumber("math.log %a", 1.5), std::log(1.5));
  EXPECT_EQ(onNumber("math.absf %a", -1.5), 1.5);
  EXPECT_EQ(onNumber("math.sqrt %a", 2), std::sqrt(2.0));
  EXPECT_EQ(onNumber("math.exp2 %a", 0.5), std::exp2(0.5));
}

TEST_F(Scalars, RoundToFloat32) {
  EXPECT_EQ(onNumber("math.exp %a", 1.5, {.rounding = mha::Rounding::Float32}),
            static_cast<float>(std::exp(1.5)));
  EXPECT_EQ(onNumber("arith.divf %a, %c", 1, {.rounding = mha::Rounding::Float32}), 1.0f / 0.1f);
}

TEST_F(Scalars, LoopsAndAffineMaps) {
  // Rows of up to 3 out of n elements, summed, last row first; a parallel loop of two dimensions.
  Array in = Array::of({7}, {1, 2, 3, 4, 5, 6, 7}), sums = Array::filled({3});
  runTiles(R"(func.func @f(%in: memref<?xf32>, %sums: memref<?xf32>, %n: index) {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %start = arith.constant 0.0 : f32
    %rows = affine.apply affine_map<()[s0] -> (s0 ceildiv 3)>()[%n]
    %two = arith.constant 2 : index
    scf.forall (%r, %twice) in (%rows, %two) {
      %first = affine.apply affine_map<(d0) -> (d0 * 3)>(%r)
      %count = affine.min affine_map<(d0)[s0] -> (3, s0 - d0)>(%first)[%n]
      %sum = scf.for %k = %zero to %count step %one iter_args(%s = %start) -> f32 {
        %at = arith.addi %first, %k : index
        %x = memref.load %in[%at] : memref<?xf32>
        %next = arith.addf %s, %x : f32
        scf.yield %next : f32
      }
      %last = arith.cmpi eq, %twice, %one : index
      scf.if %last {
        %old = memref.load %sums[%r] : memref<?xf32>
        %new = arith.addf %old, %sum : f32
        memref.store %new, %sums[%r] : memref<?xf32>
      } else {
        memref.store %sum, %sums[%r] : memref<?xf32>
      }
    }
    return
  })",
           {in, sums, int64_t(7)});
  EXPECT_EQ(elements(sums), (std::vector<double>{12, 30, 14}));
}

TEST_F(Scalars, ViewsOfMemory) {
  Array in = Array::of({3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}), out = Array::filled({4});
  runTiles(R"(func.func @f(%in: memref<3x4xf32>, %out: memref<4xf32>) {
    %0 = arith.constant 0 : index
    %1 = arith.constant 1 : index
    %2 = arith.constant 2 : index
    %3 = arith.constant 3 : index
    %row = memref.subview %in[1, 0] [1, 2] [1, 2]
      : memref<3x4xf32> to memref<2xf32, strided<[2], offset: 4>>
    %a = memref.load %row[%1] : memref<2xf32, strided<[2], offset: 4>>
    memref.store %a, %out[%0] : memref<4xf32>
    %base, %offset, %size, %stride = memref.extract_strided_metadata %row
      : memref<2xf32, strided<[2], offset: 4>> -> memref<f32>, index, index, index
    %flat = memref.reinterpret_cast %base to offset: [%offset], sizes: [%3], strides: [%stride]
      : memref<f32> to memref<?xf32, strided<[?], offset: ?>>
    %b = memref.load %flat[%2] : memref<?xf32, strided<[?], offset: ?>>
    memref.store %b, %out[%1] : memref<4xf32>
    %dim = memref.dim %flat, %0 : memref<?xf32, strided<[?], offset: ?>>
    %int = arith.index_cast %dim : index to i32
    %c = arith.sitofp %int : i32 to f32
    memref.store %c, %out[%2] : memref<4xf32>
    %fresh = memref.alloc(%dim) : memref<?xf32>
    %d = memref.load %fresh[%2] : memref<?xf32>
    memref.store %d, %out[%3] : memref<4xf32>
    return
  })",
           {in, out});
  EXPECT_EQ((*out.storage)[0], 6);
  EXPECT_EQ((*out.storage)[1], 8);
  EXPECT_EQ((*out.storage)[2], 3);
  EXPECT_TRUE(std::isnan((*out.storage)[3])) << "fresh memory is undefined";
}

TEST_F(Scalars, ArgumentThatIsAView) {
  // The memref's type says offset 0: its base pointer is the view's first element.
  Array whole = Array::of({6}, {0, 1, 2, 3, 4, 5});
  Array tail{{3}, {1}, 2, whole.storage};
  runTiles(R"(func.func @f(%x: memref<?xf32>) {
    %0 = arith.constant 0 : index
    %y = memref.reinterpret_cast %x to offset: [1], sizes: [2], strides: [1]
      : memref<?xf32> to memref<2xf32, strided<[1], offset: 1>>
    %c = arith.constant 9.0 : f32
    memref.store %c, %y[%0] : memref<2xf32, strided<[1], offset: 1>>
    return
  })",
           {tail});
  EXPECT_EQ(elements(whole), (std::vector<double>{0, 1, 2, 9, 4, 5}));
}

} // namespace
} // namespace attune::test
