import { type Database, type ListMapping, type ListPage, type ListRequest, containsText, fetchPage } from '@vic/sql';
import { type User, userOfRow } from './user.ts';

const MAPPING: ListMapping = {
  columns: {
    user_id: { column: 'users.id', type: 'number' },
    username: { column: 'users.name', type: 'text' },
    email: { column: 'users.email', type: 'text' },
    realname: { column: 'users.real_name', type: 'text' },
    sysadmin_flag: { column: 'users.system_administrator', type: 'flag' },
    creation_time: { column: 'users.created_at_ms', type: 'time' },
    update_time: { column: 'users.updated_at_ms', type: 'time' },
  },
  defaultSort: ['username', 'user_id'],
};

/** What lists of users can be filtered and sorted by. */
export const USER_FIELDS = { filter: Object.keys(MAPPING.columns), sort: Object.keys(MAPPING.columns) };

/** One page of the users whose name and address contain the texts. */
export async function listUsers(
  { db }: Database,
  request: ListRequest,
  search: { readonly name?: string | undefined; readonly email?: string | undefined },
): Promise<ListPage<User>> {
  const { name = '', email = '' } = search;
  const query = db
    .selectFrom('users')
    .selectAll()
    .$if(name !== '', (rows) => rows.where((eb) => containsText(eb.ref('users.name'), name)))
    .$if(email !== '', (rows) => rows.where((eb) => containsText(eb.ref('users.email'), email)));
  const page = await fetchPage(db, query, request, MAPPING);
  return { items: page.items.map(userOfRow), total: page.total };
}
