package newapi

import (
	"github.com/gatecert/gatecert/targets/profile"
)

// fault is a way to break the gateway's store and to mend it.
type fault struct {
	harm, mend string
	// probe succeeds when there is nothing to mend.
	probe string
}

// missingTable takes a table away under another name and gives it back. The statements are the same for both databases.
func missingTable(table string) fault {
	aside := table + "_gatecert_aside"
	return fault{
		harm:  "ALTER TABLE " + table + " RENAME TO " + aside,
		mend:  "ALTER TABLE " + aside + " RENAME TO " + table,
		probe: "SELECT 1 FROM " + table + " LIMIT 1",
	}
}

// refusedWrites makes the database refuse to change the quota of one user. Nobody else's is touched.
func refusedWrites(db profile.DB, username string) fault {
	const probe = "SELECT 1"
	when := "OLD.username = '" + username + "'"
	if db.SQLite != "" {
		return fault{
			harm: "CREATE TRIGGER gatecert_refuses BEFORE UPDATE OF quota ON users WHEN " + when +
				" BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
			mend:  "DROP TRIGGER IF EXISTS gatecert_refuses",
			probe: probe,
		}
	}
	return fault{
		harm: "CREATE OR REPLACE FUNCTION gatecert_refuses() RETURNS trigger LANGUAGE plpgsql AS" +
			" 'BEGIN RAISE EXCEPTION USING MESSAGE = ''the disk is full''; END'; " +
			"CREATE TRIGGER gatecert_refuses BEFORE UPDATE OF quota ON users FOR EACH ROW WHEN (" + when + ")" +
			" EXECUTE FUNCTION gatecert_refuses()",
		mend:  "DROP TRIGGER IF EXISTS gatecert_refuses ON users; DROP FUNCTION IF EXISTS gatecert_refuses()",
		probe: probe,
	}
}
