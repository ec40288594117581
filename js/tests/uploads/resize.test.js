import assert from "node:assert/strict";
import { test } from "node:test";

import { convertedType, isResizable, uploadScale } from "../../src/uploads/resize.js";

const MB = 1_000_000;

test("a screenshot of a whole page is sent unchanged", () => {
  const sizes = [[1280, 10000], [10000, 1280], [1080, 12000]];

  const scales = sizes.map(([width, height]) => uploadScale({ type: "image/png", size: 1.7 * MB }, { width, height }));

  assert.deepEqual(scales, [undefined, undefined, undefined]);
});

test("the area of a photo is limited, and a panorama keeps its height", () => {
  const photo = (width, height, type = "image/jpeg") => {
    const scale = uploadScale({ type, size: 6 * MB }, { width, height }) ?? 1;
    return [Math.round(width * scale), Math.round(height * scale)];
  };

  assert.deepEqual(photo(4000, 3000), [2560, 1920]);
  assert.deepEqual(photo(3000, 4000, "image/webp"), [1920, 2560]);
  assert.deepEqual(photo(6000, 800), [6000, 800]);
});

test("a screenshot of a long page keeps its pixels as a JPEG, too", () => {
  const scale = (width, height, type) => uploadScale({ type, size: 3 * MB }, { width, height });

  assert.deepEqual(
    [scale(1080, 12000, "image/jpeg"), scale(1170, 9000, "image/webp"), scale(1290, 2796, "image/jpeg")],
    [undefined, undefined, undefined],
  );
  assert.ok(scale(3000, 4000, "image/jpeg") < 0.7);
});

test("a HEIC is converted in every size, and other types keep theirs", () => {
  const sizes = [[400, 300], [4032, 3024]];

  const scales = sizes.map(([width, height]) => uploadScale({ type: "image/heic", size: MB }, { width, height }));

  assert.equal(scales[0], 1);
  assert.ok(Math.abs(scales[1] * 4032 - 2560) < 1);
  assert.deepEqual(["image/heic", "image/heif", "image/avif", "image/bmp"].map(convertedType), ["image/jpeg", "image/jpeg", undefined, undefined]);
  assert.deepEqual(["image/heic", "image/avif", "image/gif"].map((type) => isResizable({ type })), [true, true, false]);
});

test("a heavy PNG is encoded in its own size, and a very large one within limits of area and sides", () => {
  const scale = (width, height, size) => uploadScale({ type: "image/png", size }, { width, height });

  assert.equal(scale(3000, 4000, 15 * MB), 1);
  assert.equal(scale(6000, 10_000, 2 * MB), 0.5);
  assert.equal(scale(100, 32_766, 1 * MB), 0.5);
});
