namespace Moat.Netstack.Filter.Tracking;

/// <summary>What a packet is to its connection.</summary>
public enum PacketFlowState : byte
{
    /// <summary>It has not been looked at.</summary>
    None,

    /// <summary>It belongs to none and cannot begin one.</summary>
    Invalid,

    /// <summary>It begins one, which nobody has answered.</summary>
    New,

    /// <summary>Both sides have been heard.</summary>
    Established,

    /// <summary>It tells of an error of one.</summary>
    Related,

    /// <summary>It is not to be looked at.</summary>
    Untracked,
}
