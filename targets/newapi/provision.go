package newapi

import (
	"context"
	"fmt"

	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// provision creates everything that a run needs. Whatever it has begun is in the undo log.
func provision(ctx context.Context, log *undoLog, found inspection, f *fixtures, upstream string) error {
	admin := log.admin
	for _, s := range found.wholeRun {
		if _, err := log.setOption(ctx, s.key, s.value); err != nil {
			return err
		}
	}
	if admin.product == newAPI {
		if err := f.addOptions(ctx, log, found); err != nil {
			return err
		}
	}
	if err := log.recordCreation(channelsEntry, f.tag); err != nil {
		return err
	}
	list := f.channelsFor(admin.product, upstream)
	for _, ch := range list {
		if err := admin.createChannel(ctx, ch); err != nil {
			return err
		}
	}
	if err := f.configureChannels(ctx, admin, list); err != nil {
		return err
	}
	if err := log.recordCreation(usersEntry, f.tag); err != nil {
		return err
	}
	return f.createCallers(ctx, admin, found)
}

// The price of a call in units of quota, and the budget of the key that cannot afford the call.
const (
	callPrice  = 2
	tinyBudget = 1
)

// addOptions adds the prices of the models and the rate limits of the groups.
func (f *fixtures) addOptions(ctx context.Context, log *undoLog, found inspection) error {
	prices := map[string]any{}
	for _, model := range f.pricedModels() {
		prices[model] = callPrice / found.unit
	}
	if err := log.addEntries(ctx, "ModelPrice", prices); err != nil {
		return err
	}
	// [all calls, successful calls] in the window; 0 means no limit. The gateway keeps a list of the second length.
	return log.addEntries(ctx, "ModelRequestRateLimitGroup", map[string]any{
		f.name(limitedUser): [2]int{limitedCalls, limitedCalls},
		f.name(mainUser):    [2]int{0, 100_000},
	})
}

// configureChannels looks up the channels that were created and disables what has to be disabled. Disabling a channel also makes
// the gateway reload its channels: with a memory cache, new ones stay unknown for a minute otherwise.
func (f *fixtures) configureChannels(ctx context.Context, admin *client, list []channel) error {
	var err error
	if f.channels, err = admin.channels(ctx, f.tag); err != nil {
		return err
	}
	for _, ch := range list {
		if _, ok := f.channels[ch.name]; !ok {
			return fmt.Errorf("%w: channel %s was created, but the gateway does not list it", targets.ErrCannotPrepare, ch.name)
		}
	}
	if id, ok := f.channels[f.name(keylessChannel)]; ok {
		if err := admin.disableKeys(ctx, id, keylessKeys); err != nil {
			return err
		}
	}
	return admin.setChannelStatus(ctx, f.channelID(unroutedChannel), channelDisabled)
}

const (
	// newAPIUnits is the quota of a user in units of a price. Under ten units new-api does not trust a user and charges before it
	// calls the upstream: only then can charging fail.
	newAPIUnits = 9
	// oneAPIQuota is the same in one-api, which trusts from a hundred times the price of a call on.
	oneAPIQuota = 1_400_000
)

func (f *fixtures) createCallers(ctx context.Context, admin *client, found inspection) error {
	quota := int(newAPIUnits * found.unit)
	if admin.product == oneAPI {
		quota = oneAPIQuota
	}
	unrestricted := token{name: "valid"}
	keys, err := f.createCaller(ctx, admin, user{name: mainUser, group: mainUser, quota: quota}, unrestricted, token{name: revokedToken},
		token{name: "restricted", models: "another-" + f.tag},
		token{name: "denied", network: "192.0.2.1/32"}, // TEST-NET-1 (RFC 5737): no caller has this address
		token{name: "spent", budget: tinyBudget})
	if err != nil {
		return err
	}
	f.keys = profile.Keys{
		Valid: keys["valid"], Revoked: keys[revokedToken], Restricted: keys["restricted"], Denied: keys["denied"], SpentKey: keys["spent"],
	}
	poor, err := f.createCaller(ctx, admin, user{name: poorUser, group: mainUser}, unrestricted)
	if err != nil {
		return err
	}
	f.keys.SpentAccount = poor["valid"]
	if admin.product == oneAPI {
		return nil
	}
	limited, err := f.createCaller(ctx, admin, user{name: limitedUser, group: limitedUser, quota: quota}, unrestricted)
	f.limitedKey = limited["valid"]
	return err
}

// revokedToken is the name of a token that is disabled after it was created.
const revokedToken = "revoked"

// createCaller creates one user with its tokens and returns the keys by the tokens' names.
func (f *fixtures) createCaller(ctx context.Context, admin *client, u user, tokens ...token) (map[string]string, error) {
	u.name, u.group, u.password = f.name(u.name), f.name(u.group), newPassword()
	if err := admin.createUser(ctx, u); err != nil {
		return nil, err
	}
	self := admin.as(profile.Admin{User: u.name, Password: u.password})
	keys, err := self.createTokens(ctx, tokens)
	if err != nil {
		return nil, fmt.Errorf("act as user %s: %w", u.name, err)
	}
	if _, ok := keys[revokedToken]; ok {
		err = self.disableToken(ctx, revokedToken)
	}
	return keys, err
}
