import { expect, it } from 'vitest';
import { folderUrl } from './datastore-path.ts';
import { formatDatastorePath, parseDatastorePath } from './index.ts';

it('a datastore path survives being written and read', () => {
  for (const path of ['', 'a', 'a b/c [x]/d.vmdk']) {
    const place = { datastore: 'my store', path };
    expect(parseDatastorePath(formatDatastorePath(place))).toEqual(place);
  }
});

it.each(['no brackets', '[] x', '[ds] ../x', '[ds] a/./b', '[ds] /abs', '[ds] a\0b'])(
  '%j is no datastore path',
  (text) => {
    expect(() => parseDatastorePath(text)).toThrow(expect.objectContaining({ code: 'VIM_DATASTORE_PATH_INVALID' }));
  },
);

it('names are escaped in URLs', () => {
  const url = folderUrl('/folder/DC 0', { datastore: 'a&b', path: 'x y/50%?#.iso' });
  expect(url).toBe('/folder/x%20y/50%25%3F%23.iso?dcPath=folder%2FDC%200&dsName=a%26b');
});
