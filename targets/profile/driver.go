package profile

// The names of the drivers that code outside their own packages refers to.
const (
	StaticDriver    = "static"    // needs only a profile: the user prepared the gateway manually
	ReferenceDriver = "reference" // the gateway that is built into gatecert
	NewAPIDriver    = "newapi"    // a running new-api, prepared through its admin API
	OneAPIDriver    = "oneapi"    // a running one-api, prepared in the same way
)

// Driver is the information about a driver that [Load] needs to check a profile that names it.
type Driver struct {
	Name string
	// Admin is set if the driver prepares a running gateway through its admin API, with the admin credential in the profile.
	Admin bool
	// Embedded is set if the driver starts its own gateway, so that the profile needs no base_url.
	Embedded bool
}
