package newapi

import (
	"github.com/gatecert/gatecert/targets/profile"
)

// storeFault is a way to break the gateway's database and to repair it.
type storeFault struct {
	breakSQL, repairSQL string
	// probe succeeds when nothing needs repair.
	probe string
}

// plantedFault is the text of the error that a planted trigger raises: a token that stands nowhere else, so that it can be
// found when a gateway hands it to its callers.
const plantedFault = "gatecert_planted_fault_9d2f41c7"

// missingTable renames a table. The statements are the same for SQLite and PostgreSQL.
func missingTable(table string) storeFault {
	renamed := table + "_gatecert_aside"
	return storeFault{
		breakSQL:  "ALTER TABLE " + table + " RENAME TO " + renamed,
		repairSQL: "ALTER TABLE " + renamed + " RENAME TO " + table,
		probe:     "SELECT 1 FROM " + table + " LIMIT 1",
	}
}

// refusedWrites makes the database refuse to change the quota of one user, and of nobody else.
func refusedWrites(db profile.DB, username string) storeFault {
	const probe = "SELECT 1"
	when := "OLD.username = '" + username + "'"
	if db.SQLite != "" {
		return storeFault{
			breakSQL: "CREATE TRIGGER gatecert_refuses BEFORE UPDATE OF quota ON users WHEN " + when +
				" BEGIN SELECT RAISE(ABORT, '" + plantedFault + "'); END",
			repairSQL: "DROP TRIGGER IF EXISTS gatecert_refuses",
			probe:     probe,
		}
	}
	return storeFault{
		breakSQL: "CREATE OR REPLACE FUNCTION gatecert_refuses() RETURNS trigger LANGUAGE plpgsql AS" +
			" 'BEGIN RAISE EXCEPTION USING MESSAGE = ''" + plantedFault + "''; END'; " +
			"CREATE TRIGGER gatecert_refuses BEFORE UPDATE OF quota ON users FOR EACH ROW WHEN (" + when + ")" +
			" EXECUTE FUNCTION gatecert_refuses()",
		repairSQL: "DROP TRIGGER IF EXISTS gatecert_refuses ON users; DROP FUNCTION IF EXISTS gatecert_refuses()",
		probe:     probe,
	}
}
