import { HttpClient } from '@vic/http-client';
import { describe, expect, it } from 'vitest';
import { DatastoreFiles, probeThumbprint } from '../index.ts';
import type { VimServerQuirks } from './server-under-test.ts';
import type { SuiteContext } from './vim-server-suite.ts';

/** Files on a datastore. */
export function datastoreTests(context: () => SuiteContext, quirks: VimServerQuirks): void {
  const open = async (): Promise<AsyncDisposable & { readonly files: DatastoreFiles; readonly directory: string }> => {
    const { client, places, unique } = context();
    const files = await DatastoreFiles.open(client, places.datacenter, places.datastore);
    const directory = unique('files');
    await files.makeDirectory(directory);
    return { files, directory, [Symbol.asyncDispose]: () => files.delete(directory) };
  };

  describe('datastore files', () => {
    it('are written, looked at, read, listed, moved and deleted', async () => {
      await using scratch = await open();
      const { files, directory } = scratch;
      const text = new TextEncoder().encode('0123456789');
      await files.write(`${directory}/a b&c.txt`, text);
      expect(await files.head(`${directory}/a b&c.txt`)).toMatchObject({ sizeBytes: 10 });
      expect(await textOf(files.read(`${directory}/a b&c.txt`))).toBe('0123456789');
      const entry = { name: 'a b&c.txt', isDirectory: false, sizeBytes: 10 };
      expect(await files.list(directory)).toEqual([expect.objectContaining(entry)]);
      await files.move(`${directory}/a b&c.txt`, `${directory}/d.txt`);
      expect(await files.head(`${directory}/a b&c.txt`)).toBeUndefined();
      expect(await textOf(files.read(`${directory}/d.txt`))).toBe('0123456789');
      await files.delete(`${directory}/d.txt`);
      await files.delete(`${directory}/d.txt`);
      expect(await files.list(directory)).toEqual([]);
    });

    it('are read in parts', async () => {
      await using scratch = await open();
      const { files, directory } = scratch;
      await files.write(`${directory}/parts`, new TextEncoder().encode('0123456789'));
      expect(await textOf(files.read(`${directory}/parts`, { startByte: 3, endByte: 6 }))).toBe('345');
      expect(await textOf(files.read(`${directory}/parts`, { startByte: 8 }))).toBe('89');
    });

    it('are streamed both ways', async () => {
      await using scratch = await open();
      const { files, directory } = scratch;
      const chunk = new Uint8Array(64 * 1024).fill(7);
      const count = 64;
      const source = async function* (): AsyncGenerator<Uint8Array> {
        for (let index = 0; index < count; index++) yield chunk;
      };
      await files.write(`${directory}/stream`, source(), { sizeBytes: chunk.length * count });
      let size = 0;
      for await (const piece of await files.read(`${directory}/stream`)) size += piece.length;
      expect(size).toBe(chunk.length * count);
    });

    it('that do not exist are a NotFound error', async () => {
      await using scratch = await open();
      const { files, directory } = scratch;
      expect(await files.head(`${directory}/none`)).toBeUndefined();
      await expect(files.read(`${directory}/none`)).rejects.toMatchObject({ class: 'NotFound' });
      await expect(files.list(`${directory}/none`)).rejects.toMatchObject({ class: 'NotFound' });
    });

    it('outside the datastore cannot be named', async () => {
      await using scratch = await open();
      await expect(scratch.files.head('../../etc/passwd')).rejects.toMatchObject({ class: 'InvalidArgument' });
    });

    it.skipIf(quirks.openFolder === true)('are refused without a session', async () => {
      const { server, places } = context();
      const { hostname, port } = new URL(server.url);
      const { sha256 } = await probeThumbprint(hostname, Number(port));
      await using http = new HttpClient({ tls: { thumbprint: sha256 } });
      const query = new URLSearchParams({ dcPath: 'ha-datacenter', dsName: places.datastoreName });
      const response = await http.request({
        method: 'PUT',
        url: `${server.url}/folder/stolen?${query.toString()}`,
        body: 'x',
      });
      expect(response.status).toBe(401);
      response.discard();
    });
  });
}

async function textOf(content: Promise<AsyncIterable<Uint8Array>>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of await content) text += decoder.decode(piece, { stream: true });
  return text;
}
