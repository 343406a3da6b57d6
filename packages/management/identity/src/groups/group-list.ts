import { normalizeDn } from '@vic/directory';
import { type Database, type ListMapping, type ListPage, type ListRequest, containsText, fetchPage } from '@vic/sql';
import { GROUP_TYPES, type Group, groupOfRow } from './group.ts';

const MAPPING: ListMapping = {
  columns: {
    id: { column: 'user_groups.id', type: 'number' },
    group_name: { column: 'user_groups.name', type: 'text' },
    group_type: { column: 'user_groups.type', type: 'number' },
  },
  defaultSort: ['group_name', 'id'],
};

/** What lists of groups can be filtered and sorted by. */
export const GROUP_FIELDS = { filter: Object.keys(MAPPING.columns), sort: Object.keys(MAPPING.columns) };

/** One page of the groups whose name contains the text, and that have the DN when one is given. */
export async function listGroups(
  { db }: Database,
  request: ListRequest,
  search: { readonly name?: string | undefined; readonly ldapDn?: string | undefined },
): Promise<ListPage<Group>> {
  const { name = '', ldapDn = '' } = search;
  const query = db
    .selectFrom('user_groups')
    .selectAll()
    .$if(name !== '', (rows) => rows.where((eb) => containsText(eb.ref('user_groups.name'), name)))
    .$if(ldapDn !== '', (rows) =>
      rows.where('user_groups.type', '=', GROUP_TYPES.ldap).where('user_groups.key', '=', normalizeDn(ldapDn)),
    );
  const page = await fetchPage(db, query, request, MAPPING);
  return { items: page.items.map(groupOfRow), total: page.total };
}
