/** What one entry of an isolinux menu boots. */
export interface BootEntry {
  readonly kernel: string;
  readonly initramfs: string;
  readonly commandLine: string;
}

/** The default entry of an isolinux configuration, or `undefined` when it names no kernel and initramfs. */
export function parseBootMenu(text: string): BootEntry | undefined {
  const entries = new Map<string, Map<string, string>>();
  let wanted: string | undefined;
  let current = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, keyword = '', value = ''] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
    switch (keyword.toLowerCase()) {
      case 'default':
        wanted = value;
        break;
      case 'label':
        current = new Map();
        entries.set(value, current);
        break;
      case 'kernel':
      case 'linux':
        current.set('kernel', value);
        break;
      case 'initrd':
      case 'append':
        current.set(keyword.toLowerCase(), value);
        break;
      default:
        break;
    }
  }
  const chosen = (wanted === undefined ? undefined : entries.get(wanted)) ?? entries.values().next().value;
  return chosen === undefined ? undefined : toEntry(chosen);
}

function toEntry(settings: ReadonlyMap<string, string>): BootEntry | undefined {
  const words = (settings.get('append') ?? '').split(/\s+/).filter((word) => word !== '');
  const kernel = settings.get('kernel');
  const inline = words.find((word) => word.startsWith('initrd='))?.slice('initrd='.length);
  const initramfs = settings.get('initrd') ?? inline;
  if (kernel === undefined || initramfs === undefined) return undefined;
  return { kernel, initramfs, commandLine: words.filter((word) => !word.startsWith('initrd=')).join(' ') };
}
