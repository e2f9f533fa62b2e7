"""The schedules of this project, as they hold in an environment, in the words of the scheduler that runs them."""
