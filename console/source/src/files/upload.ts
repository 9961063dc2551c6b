// Sends files by the tus protocol, which goes on where a broken connection stopped.
import { Upload } from "tus-js-client";
import { change } from "../api/client";
import { CreateUploadDocument } from "../api/operations.generated";

// A piece is small enough to be repeated, and large enough not to be felt.
const pieceBytes = 8 * 1024 * 1024;
const retryDelays = [0, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 16_000, 16_000, 30_000];
const maxNameInKey = 150;

export type Sending = { id: string; stop: () => void };

/**
 * Sends a file and returns the id of its upload when the server has all of it. The same file chosen once
 * more, even after the page was loaded again, is the same upload: only what is missing is sent.
 */
export async function sendFile(file: File, onProgress: (sent: number) => void, signal: AbortSignal): Promise<string> {
  const { upload } = await change(CreateUploadDocument, {
    input: {
      fileName: file.name,
      byteCount: file.size,
      idempotencyKey: `console-${file.size}-${file.lastModified}-${file.name.slice(0, maxNameInKey)}`,
    },
  });
  const { id, url } = upload!;
  await new Promise<void>((resolve, reject) => {
    const sending = new Upload(file, {
      uploadUrl: new URL(url, location.href).href,
      chunkSize: pieceBytes,
      retryDelays,
      onProgress: (sent) => onProgress(sent),
      onSuccess: () => resolve(),
      onError: reject,
    });
    signal.addEventListener("abort", () => {
      void sending.abort();
      reject(new DOMException("stopped", "AbortError"));
    });
    sending.start();
  });
  return String(id);
}
