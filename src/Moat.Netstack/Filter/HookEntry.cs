using Moat.Netstack.Filter.Nat;
using Moat.Netstack.Filter.Tracking;

namespace Moat.Netstack.Filter;

/// <summary>What is called at a hook, in the order of priorities.</summary>
/// <param name="Priority">Lower numbers come first.</param>
internal abstract record HookEntry(int Priority)
{
    /// <summary>Looks at a packet.</summary>
    /// <returns>False if it is dropped.</returns>
    public abstract bool Pass(ref FilterPacket packet);

    /// <summary>A base chain.</summary>
    internal sealed record Chain(FilterRuleset Ruleset, FilterBase Base) : HookEntry(Base.Priority)
    {
        /// <inheritdoc/>
        public override bool Pass(ref FilterPacket packet) => Ruleset.Run(Base, ref packet) == FilterStep.Accept;
    }

    /// <summary>Finds the packet's connection.</summary>
    internal sealed record Track(FlowTracker Tracker) : HookEntry(-200)
    {
        /// <inheritdoc/>
        public override bool Pass(ref FilterPacket packet)
        {
            Tracker.Track(ref packet);
            return true;
        }
    }

    /// <summary>Makes the packet's connection known, after everybody else has let it pass.</summary>
    internal sealed record Confirm(FlowTracker Tracker) : HookEntry(int.MaxValue)
    {
        /// <inheritdoc/>
        public override bool Pass(ref FilterPacket packet) => Tracker.Confirm(ref packet);
    }

    /// <summary>Decides and carries out what happens to the packet's addresses on one side.</summary>
    internal sealed record Translate(bool IsSource, Chain[] Chains, NatChooser Chooser) : HookEntry(IsSource ? 100 : -100)
    {
        /// <inheritdoc/>
        public override bool Pass(ref FilterPacket packet)
        {
            if (packet.Packet.Flow is not { } flow)
            {
                return true;
            }

            FlowStatus done = IsSource ? FlowStatus.SourceNatDone : FlowStatus.DestinationNatDone;
            if (packet.Packet.FlowState == PacketFlowState.New && !flow.Has(done | FlowStatus.Confirmed))
            {
                foreach (Chain chain in Chains)
                {
                    if (!chain.Pass(ref packet))
                    {
                        return false;
                    }

                    if (flow.Has(done))
                    {
                        break;
                    }
                }

                Chooser.Set(flow, default, IsSource); // addresses stay; a port may have to change for the answers' sake
            }

            return NatRewriter.Translate(ref packet, IsSource);
        }
    }
}
