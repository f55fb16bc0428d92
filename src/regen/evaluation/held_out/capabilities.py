"""Every measure that an evaluation makes; each says nothing of a model that it does not apply to."""

from regen.evaluation.held_out.checks import likelihood_checks
from regen.evaluation.held_out.classification import confusion
from regen.evaluation.held_out.codes import code_likelihood
from regen.evaluation.held_out.latent_space import latent_space
from regen.evaluation.held_out.likelihood import flow_likelihood, latent_variable_likelihood

__all__ = ["MEASURES"]

MEASURES = (latent_variable_likelihood, flow_likelihood, likelihood_checks, latent_space, code_likelihood, confusion)
