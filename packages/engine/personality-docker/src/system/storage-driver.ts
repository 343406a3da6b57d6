/** What `info` and inspect call the storage driver: disks on a vSphere datastore. */
export const STORAGE_DRIVER = 'vsphere';
