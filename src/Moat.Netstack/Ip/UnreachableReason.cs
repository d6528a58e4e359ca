namespace Moat.Netstack.Ip;

/// <summary>Why a packet could not be given to anybody here.</summary>
public enum UnreachableReason
{
    /// <summary>Nobody listens at the port.</summary>
    Port,

    /// <summary>There is no such protocol.</summary>
    Protocol,

    /// <summary>A filter refused it.</summary>
    Prohibited,
}
