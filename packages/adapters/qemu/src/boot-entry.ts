import { parseBootMenu } from './boot-menu.ts';
import type { BootEntry } from './boot-menu.ts';
import type { IsoImage } from './iso9660.ts';

const MAX_MENU_BYTES = 64 * 1024;
const MENUS = ['/isolinux/isolinux.cfg', '/boot/isolinux/isolinux.cfg', '/isolinux.cfg', '/syslinux/syslinux.cfg'];
const DEFAULT_ENTRY: BootEntry = { kernel: '/boot/vmlinuz', initramfs: '/boot/initramfs.img', commandLine: '' };

/** What an ISO boots: the default entry of its isolinux menu, or the usual files where it has none. */
export async function defaultBootEntry(image: Pick<IsoImage, 'read'>): Promise<BootEntry> {
  for (const path of MENUS) {
    const menu = await image.read(path, MAX_MENU_BYTES);
    if (menu !== undefined) return parseBootMenu(menu.toString('utf8')) ?? DEFAULT_ENTRY;
  }
  return DEFAULT_ENTRY;
}
