namespace Moat.Netstack.Autoconfiguration;

/// <summary>What an interface takes from its link by itself (ip-sysctl.rst, net.ipv6.conf). Off unless somebody asks for it: an engine gives containers their addresses.</summary>
public sealed class AutoconfigurationOptions
{
    private int _accepts;
    private int _makes = 1;
    private int _detects;
    private int _transmits = 1;

    /// <summary>accept_ra: 0 for never, 1 unless packets are passed on, 2 always.</summary>
    public ref int AcceptsAdvertisements => ref _accepts;

    /// <summary>autoconf: whether prefixes of accepted advertisements make addresses; 0 or 1.</summary>
    public ref int MakesAddresses => ref _makes;

    /// <summary>accept_dad: 0 to take addresses at once, 1 to ask first whether somebody has them, 2 to give up IPv6 where somebody has the interface's own.</summary>
    public ref int DetectsDuplicates => ref _detects;

    /// <summary>dad_transmits: how often is asked.</summary>
    public ref int Transmits => ref _transmits;

    /// <summary>Takes another's values.</summary>
    public void Assign(AutoconfigurationOptions other) => (_accepts, _makes, _detects, _transmits) = (other._accepts, other._makes, other._detects, other._transmits);
}
