namespace Moat.Netstack.Filter;

/// <summary>What an expression of a rule says about the packet.</summary>
public enum FilterStep
{
    /// <summary>The rule goes on with its next expression; behind the last one the chain goes on with its next rule.</summary>
    Continue,

    /// <summary>The rule does not match: the chain goes on with its next rule.</summary>
    Break,

    /// <summary>The packet passes this hook.</summary>
    Accept,

    /// <summary>The packet is dropped.</summary>
    Drop,

    /// <summary>The chain ends: its caller goes on, or the base chain's policy decides.</summary>
    Return,

    /// <summary>The chain at <see cref="FilterPacket.Target"/> is run, then this one goes on.</summary>
    Jump,

    /// <summary>The chain at <see cref="FilterPacket.Target"/> is run instead of the rest of this one.</summary>
    Goto,
}
