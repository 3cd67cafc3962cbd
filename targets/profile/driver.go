package profile

// The names of the drivers that code outside their own packages has to know.
const (
	StaticDriver    = "static"    // a profile alone: everything was prepared by hand
	ReferenceDriver = "reference" // the gateway that is embedded in gatecert
	NewAPIDriver    = "newapi"    // a running new-api, prepared through its admin API
	OneAPIDriver    = "oneapi"    // a running one-api, likewise
)

// Driver is what [Load] has to know of a driver to check a profile that names it.
type Driver struct {
	Name string
	// Admin is set when the driver prepares a running gateway through its admin API, with the profile's admin credential.
	Admin bool
	// Embedded is set when the driver brings a gateway of its own, so that the profile needs no base_url.
	Embedded bool
}
