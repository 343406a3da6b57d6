/** What a lone host with fixed datastores and virtual hardware cannot do, in the words of whoever asks for it. */
const REASONS: Readonly<Record<string, string>> = {
  CreateLocalDatastore: "This host's datastores are configured when it starts; none can be added to it.",
  CreateNasDatastore: "This host's datastores are configured when it starts; none can be added to it.",
  CreateVmfsDatastore: "This host's datastores are configured when it starts; none can be added to it.",
  RemoveDatastore: "This host's datastores are configured when it starts; none can be removed from it.",
  DatastoreEnterMaintenanceMode: 'The machines of this datastore cannot be moved to another one: there is no other.',
  DatastoreExitMaintenanceMode_Task: 'The datastores of this host are never in maintenance.',
  InflateVirtualDisk_Task: 'Disks of this host are thin: they take room as they are written, and cannot be inflated.',
  ShrinkVirtualDisk_Task: 'Disks of this host give back no room; copy the disk, which leaves out what is empty.',
  QueryConfigTarget: 'This host passes no hardware of its own to machines, so it has none to list.',
};

/** Why a method that is part of the API is not served, as the NotSupported fault says it. */
export function whyUnsupported(method: string, type: string): string {
  return REASONS[method] ?? `This host does not support ${method} on a ${type}.`;
}
