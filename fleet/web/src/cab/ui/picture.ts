/** Pictures small enough for a weak network. */
const LONGEST_PX = 1280
const QUALITY = 0.8

/** The camera's picture as a JPEG of at most 1280 px, upright. Rejects what is no picture. */
export async function shrink(file: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' })
  const scale = Math.min(1, LONGEST_PX / Math.max(bitmap.width, bitmap.height))
  const canvas = document.createElement('canvas')
  draw(bitmap, canvas, scale)
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error('no JPEG')) : resolve(blob)), 'image/jpeg', QUALITY)
  })
}

/** Shows a picture without a `blob:` address, which the page's policy does not let in. */
export async function preview(photo: Blob, canvas: HTMLCanvasElement): Promise<void> {
  const bitmap = await createImageBitmap(photo)
  draw(bitmap, canvas, Math.min(1, 320 / Math.max(bitmap.width, bitmap.height)))
}

function draw(bitmap: ImageBitmap, canvas: HTMLCanvasElement, scale: number): void {
  canvas.width = Math.max(1, Math.round(bitmap.width * scale))
  canvas.height = Math.max(1, Math.round(bitmap.height * scale))
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  bitmap.close()
}
