package contract_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

func TestNamedCasesAreInTheTables(t *testing.T) {
	for _, c := range []contract.Case{
		contract.CaseOf(contract.OverRateLimit, dialect.Chat, ""),
		contract.CaseOf(contract.OverRateLimit, dialect.Chat, contract.LoadVariant),
		contract.CaseOf(contract.GatewayError, dialect.Chat, ""),
		contract.CaseOf(contract.UpstreamError, dialect.Chat, contract.ErrorObject),
		contract.CaseOf(contract.UpstreamError, dialect.ChatStream, contract.MidStream),
		contract.CaseOf(contract.UpstreamError, dialect.Chat, contract.LoadVariant),
		contract.CaseOf(contract.SlowUpstream, dialect.Chat, contract.NoAnswer),
		contract.CaseOf(contract.SlowUpstream, dialect.Chat, contract.StalledAnswer),
		contract.CaseOf(contract.UnreachableUpstream, dialect.Chat, contract.ConnectionReset),
		contract.CaseOf(contract.TruncatedUpstreamResponse, dialect.ChatStream, contract.CutStream),
	} {
		_, err := contract.ParseCase(c.ID())
		require.NoError(t, err)
	}
	require.Equal(t, contract.RowRateLimited, contract.CaseOf(contract.OverRateLimit, dialect.Chat, "").Row)
	require.Equal(t, contract.RowServerError, contract.CaseOf(contract.UpstreamError, dialect.Chat, contract.ErrorObject).Row)
}
