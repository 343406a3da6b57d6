/**
 * What the methods need whose privilege the metadata leaves open, because on vSphere it depends on the
 * arguments or on the kind of receiver. Methods that look further themselves (deviceChange, files of a
 * datastore) check the rest on their own.
 */
export const DYNAMIC_PRIVILEGES: Readonly<Record<string, string>> = {
  CancelTask: 'Task.Update',
  DeleteDatastoreFile_Task: 'Datastore.FileManagement',
  MoveDatastoreFile_Task: 'Datastore.FileManagement',
  CopyDatastoreFile_Task: 'Datastore.FileManagement',
  MakeDirectory: 'Datastore.FileManagement',
  SearchDatastore_Task: 'Datastore.Browse',
  SearchDatastoreSubFolders_Task: 'Datastore.Browse',
  DestroyCollector: 'System.View',
  DestroyPropertyFilter: 'System.View',
  LogUserEvent: 'Global.LogEvent',
  ModifyListView: 'System.View',
  ReadNextEvents: 'System.View',
  ReadNextTasks: 'System.View',
  ReadPreviousEvents: 'System.View',
  ReadPreviousTasks: 'System.View',
  ReconfigVM_Task: 'VirtualMachine.Config.Settings',
  RemoveEntityPermission: 'Authorization.ModifyPermissions',
  ResetCollector: 'System.View',
  ResetListView: 'System.View',
  ResetListViewFromView: 'System.View',
  RetrieveEntityPermissions: 'System.Read',
  RetrieveUserGroups: 'System.View',
  RewindCollector: 'System.View',
  SetCollectorPageSize: 'System.View',
  SetEntityPermissions: 'Authorization.ModifyPermissions',
  UpdateConfig: 'Resource.EditPool',
  UpdateOptions: 'Global.Settings',
  DestroyChildren: 'Resource.DeletePool',
  'Destroy_Task VirtualMachine': 'VirtualMachine.Inventory.Delete',
  'Destroy_Task ResourcePool': 'Resource.DeletePool',
  'Destroy_Task Network': 'Host.Config.Network',
  'Rename_Task VirtualMachine': 'VirtualMachine.Config.Rename',
  'Rename_Task ResourcePool': 'Resource.RenamePool',
};

/** Privileges that are asked for by what a specification changes. */
export const CHANGE_PRIVILEGES: readonly string[] = [
  'Global.Settings',
  'VirtualMachine.Config.AddExistingDisk',
  'VirtualMachine.Config.AddNewDisk',
  'VirtualMachine.Config.AddRemoveDevice',
  'VirtualMachine.Config.AdvancedConfig',
  'VirtualMachine.Config.CPUCount',
  'VirtualMachine.Config.DiskExtend',
  'VirtualMachine.Config.EditDevice',
  'VirtualMachine.Config.Memory',
  'VirtualMachine.Config.RemoveDisk',
  'Resource.AssignVMToPool',
  'Datastore.AllocateSpace',
];
